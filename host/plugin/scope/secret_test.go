package scope_test

import (
	"os"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/scope"
)

func TestWhatLooksLikeASecret(t *testing.T) {
	yes := `.env .env.local .envrc prod.env a/.env/b .git .git/config .GIT/config .Git a/.gIt/x .wr/runs
		server.pem SERVER.PEM a/b.key tls.p12 x.pfx id_rsa id_rsa.pub id_ed25519 id_deploy ID_RSA .netrc _netrc .npmrc .pypirc pip.conf
		kubeconfig dev.kubeconfig .kube/config .docker/config.json .aws/credentials credentials credentials.json credentials.prod.yml
		.credentials.json secrets.toml secrets .ssh/known_hosts x.tfvars terraform.tfstate.backup .git-credentials service-account-ci.json
		.g` + "\u200c" + `it ` + "\uff0egit" + ` .` + "\uff27" + `it .` + "\u017f" + `sh .en` + "\u200d" + `v`
	for name := range strings.FieldsSeq(yes) {
		if !scope.Secret(name) {
			t.Errorf("%q does not look like one", name)
		}
	}
	no := `. a env environment.py .gitignore .gitattributes .github/workflows/a.yml git id.go id_map.py id_generator.go
		credentials.py credentials_test.go secrets.py secrets_manager.ts key.go keys.py pem.go monkey keyboard.md .dockerignore
		docker/config.json kube/config package.json é naïve.py 名前.txt`
	for name := range strings.FieldsSeq(no) {
		if scope.Secret(name) {
			t.Errorf("%q looks like one", name)
		}
	}
}

func TestTheDocumentationListsWhatLooksLikeASecret(t *testing.T) {
	page, err := os.ReadFile("../../../docs/plugins/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range scope.Secrets() {
		if !strings.Contains(string(page), "`"+pattern+"`") {
			t.Errorf("docs/plugins/sandbox.md does not list `%s`", pattern)
		}
	}
}
