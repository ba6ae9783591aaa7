package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/docker/cli/cli/config"
	buildkit "github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth/authprovider"
	policy "github.com/moby/buildkit/sourcepolicy/pb"
	"github.com/tonistiigi/fsutil"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Labels of an image's record in the store.
const (
	LabelProject = "wr.project" // project path
)

// Build implements spec.Builder: it solves the Dockerfile with the frontend
// that is built into the engine and leaves the image unpacked in the store.
// Bases are taken from the store, and from their registry only when they are
// not there. When ctx ends, the build's processes are killed and Build
// returns context.Cause(ctx).
func (b *Builder) Build(ctx context.Context, build spec.Build, progress func(spec.Step)) (spec.Image, error) {
	recipe, err := b.check(build)
	if err != nil {
		return spec.Image{}, err
	}
	p := newProgress(progress)
	for _, note := range recipe.Notes {
		p.note(note)
	}
	err = onceMore(ctx, p.note, func() error { return b.solve(ctx, build, p) })
	if ctx.Err() != nil {
		return spec.Image{}, context.Cause(ctx)
	}
	if err != nil {
		return spec.Image{}, b.buildFault(ctx, build, p, err)
	}
	return b.finish(ctx, build)
}

// check reads the Dockerfile before anything is sent to the engine.
func (b *Builder) check(build spec.Build) (spec.Recipe, error) {
	file := dockerfilePath(build)
	if build.Text != "" {
		return Recipe(spec.Dockerfile{Path: file, Data: []byte(build.Text), Target: build.Target, Args: build.Args})
	}
	data, err := os.ReadFile(filepath.Join(build.Context, filepath.FromSlash(build.Dockerfile)))
	if err != nil {
		return spec.Recipe{}, &fault.Error{
			Code:    "image.no_dockerfile",
			Message: "cannot read the Dockerfile: " + err.Error(),
			File:    file,
			Next:    "write it, or name another under [image] dockerfile in wr.toml",
			Err:     err,
		}
	}
	return Recipe(spec.Dockerfile{Path: file, Data: data, Target: build.Target, Args: build.Args})
}

// dockerfilePath is the Dockerfile as messages name it.
func dockerfilePath(build spec.Build) string { return path.Join(build.Folder, build.Dockerfile) }

// onceMore solves, and once more when the builder lost a race.
func onceMore(ctx context.Context, note func(string), solve func() error) error {
	err := solve()
	if ctx.Err() != nil || !transient(err) {
		return err
	}
	note("the builder lost a snapshot between two steps (buildkit#6521); building once more")
	return solve()
}

// transient reports whether err is the race of buildkit#6521.
func transient(err error) bool {
	return err != nil && strings.Contains(err.Error(), "parent snapshot") && strings.Contains(err.Error(), "does not exist")
}

// solve builds once and reports progress until the builder has said all.
func (b *Builder) solve(ctx context.Context, build spec.Build, p *progress) error {
	client, err := b.buildkit()
	if err != nil {
		return err
	}
	options, err := b.options(build)
	if err != nil {
		return err
	}
	if build.Text != "" {
		forget, err := lend(build, options)
		if err != nil {
			return err
		}
		defer forget()
	}
	status := make(chan *buildkit.SolveStatus)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := range status {
			p.update(s)
		}
	}()
	if build.Layer == nil {
		_, err = client.Solve(ctx, nil, options, status)
	} else {
		_, err = client.Build(ctx, options, "wr", adding(*build.Layer), status)
	}
	<-done
	return err
}

// options says what to build and how to export it: layers uncompressed, as
// nothing leaves this machine, and unpacked, ready to run.
func (b *Builder) options(build spec.Build) (buildkit.SolveOpt, error) {
	tree, err := contextFS(build.Context)
	if err != nil {
		return buildkit.SolveOpt{}, err
	}
	// The key keeps what BuildKit remembers of one context apart from another's:
	// it tells files by size and time, which two checkouts may well share.
	shared := sha256.Sum256([]byte(build.Context))
	return buildkit.SolveOpt{
		Frontend:      dockerfileFrontend,
		FrontendAttrs: attributes(build),
		LocalMounts:   map[string]fsutil.FS{"context": tree, "dockerfile": tree},
		SharedKey:     hex.EncodeToString(shared[:]),
		Session:       b.session(),
		SourcePolicy:  pinning(build.Bases),
		Exports: []buildkit.ExportEntry{{
			Type: buildkit.ExporterImage,
			Attrs: map[string]string{
				"name":           build.Ref,
				"compression":    "uncompressed",
				"unpack":         "true",
				"store":          "true",
				"oci-mediatypes": "true",
			},
		}},
	}, nil
}

// pinning makes BuildKit take what bases stand for wherever a Dockerfile names
// them; nil when there are none.
func pinning(bases map[string]string) *policy.Policy {
	if len(bases) == 0 {
		return nil
	}
	p := &policy.Policy{Version: 1}
	for _, ref := range slices.Sorted(maps.Keys(bases)) {
		p.Rules = append(p.Rules, &policy.Rule{
			Action:   policy.PolicyAction_CONVERT,
			Selector: &policy.Selector{Identifier: imageScheme + ref, MatchType: policy.MatchType_EXACT},
			Updates:  &policy.Update{Identifier: imageScheme + bases[ref]},
		})
	}
	return p
}

// dockerfileFrontend is the frontend that is built into the engine.
const dockerfileFrontend = "dockerfile.v0"

// imageScheme begins BuildKit's name of an image.
const imageScheme = "docker-image://"

// attributes are the options of the Dockerfile frontend.
func attributes(build spec.Build) map[string]string {
	a := map[string]string{
		"filename":           build.Dockerfile,
		"image-resolve-mode": "local",
		// Why a command line? With one, the frontend takes itself for what the
		// syntax line asks for, and fetches no other (see Recipe).
		"cmdline": dockerfileFrontend,
	}
	if build.Target != "" {
		a["target"] = build.Target
	}
	if build.NoCache {
		a["no-cache"] = ""
	}
	for name, value := range build.Args {
		a["build-arg:"+name] = value
	}
	for name, value := range build.Labels {
		a["label:"+name] = value
	}
	return a
}

// session is what this process lends to the engine beside the context.
func (b *Builder) session() []session.Attachable {
	if b.config.DockerConfig == "" {
		return nil
	}
	file, err := config.Load(b.config.DockerConfig)
	if err != nil {
		return nil // public images need none; a registry will say what is missing
	}
	return []session.Attachable{authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{
		AuthConfigProvider: authprovider.LoadAuthConfig(file),
	})}
}

// finish labels the image's record and says what the store holds.
func (b *Builder) finish(ctx context.Context, build spec.Build) (spec.Image, error) {
	name, err := normalise(build.Ref)
	if err != nil {
		return spec.Image{}, err
	}
	c, err := b.containerd()
	if err != nil {
		return spec.Image{}, err
	}
	ctx = namespaces.WithNamespace(ctx, Namespace)
	record, err := c.ImageService().Get(ctx, name)
	if err != nil {
		return spec.Image{}, fmt.Errorf("image %s is not in the store after its build: %w", name, err)
	}
	record.Labels = maps.Clone(build.Labels)
	if record.Labels == nil {
		record.Labels = map[string]string{}
	}
	record.Labels[LabelProject] = build.Project
	if record, err = c.ImageService().Update(ctx, record, "labels"); err != nil {
		return spec.Image{}, errors.Join(fmt.Errorf("label image %s", name), err)
	}
	return describe(ctx, c, record)
}
