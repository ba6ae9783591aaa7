package registry

import (
	"errors"
	"fmt"

	"github.com/docker/cli/cli/config"
)

// dockerHub is how docker's config names the registry of docker.io.
const dockerHub = "https://index.docker.io/v1/"

// errCredentials is in every error about the caller's credentials themselves.
var errCredentials = errors.New("credentials")

// credentials returns how the user and password of a registry are found: in
// the docker config of dir, or by the credential helper that it names. The
// user "" stands for a token.
func credentials(dir string) func(host string) (user, secret string, err error) {
	return func(host string) (string, string, error) {
		if dir == "" {
			return "", "", nil
		}
		file, err := config.Load(dir)
		if err != nil {
			return "", "", fmt.Errorf("%w of %s: %w", errCredentials, dir, err)
		}
		if host == "registry-1.docker.io" || host == "docker.io" {
			host = dockerHub
		}
		found, err := file.GetAuthConfig(host)
		if err != nil {
			return "", "", fmt.Errorf("%w for %s: %w", errCredentials, host, err)
		}
		if found.IdentityToken != "" {
			return "", found.IdentityToken, nil
		}
		return found.Username, found.Password, nil
	}
}
