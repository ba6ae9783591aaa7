package image

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/wr-build/wr/runtime/spec"
)

// adding builds what the frontend builds, and adds a layer to it. Its bytes
// depend on the layer alone: all files and directories have one date.
func adding(layer spec.Layer) gateway.BuildFunc {
	return func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		built, err := c.Solve(ctx, gateway.SolveRequest{Frontend: dockerfileFrontend, FrontendOpt: c.BuildOpts().Opts})
		if err != nil {
			return nil, err
		}
		state, err := stateOf(built)
		if err != nil {
			return nil, err
		}
		definition, err := withFiles(state, layer.Files).Marshal(ctx)
		if err != nil {
			return nil, err
		}
		added, err := c.Solve(ctx, gateway.SolveRequest{Definition: definition.ToPB()})
		if err != nil {
			return nil, err
		}
		added.Metadata = maps.Clone(built.Metadata)
		config, err := withEnv(built.Metadata[exptypes.ExporterImageConfigKey], layer)
		added.AddMeta(exptypes.ExporterImageConfigKey, config)
		return added, err
	}
}

// stateOf is the file system that was built; of an image without any file there is none.
func stateOf(built *gateway.Result) (llb.State, error) {
	ref, err := built.SingleRef()
	if err != nil || ref == nil {
		return llb.Scratch(), err
	}
	return ref.ToState()
}

// withFiles adds files in one layer. Why a copy of what is made elsewhere: only
// that dates directories after all is in them.
func withFiles(state llb.State, files map[string]string) llb.State {
	made := llb.Scratch()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		made = made.File(llb.Mkdir(path.Dir(name), 0o755, llb.WithParents(true)).
			Mkfile(name, 0o644, []byte(files[name])), llb.WithCustomName("[wr] prepare "+name))
	}
	epoch := time.Unix(0, 0)
	all := &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &epoch}
	return state.File(llb.Copy(made, "/", "/", all), llb.WithCustomName("[wr] add its files"))
}

// withEnv is the configuration of an image, with what the layer says of its
// environment and one more step in its history.
func withEnv(config []byte, layer spec.Layer) ([]byte, error) {
	var image dockerspec.DockerOCIImage
	if err := json.Unmarshal(config, &image); err != nil {
		return nil, fmt.Errorf("read the configuration that was built: %w", err)
	}
	env := &image.Config.Env
	for _, name := range slices.Sorted(maps.Keys(layer.Lists)) {
		setIn(env, name, strings.TrimPrefix(valueIn(*env, name)+":"+layer.Lists[name], ":"))
	}
	for _, name := range slices.Sorted(maps.Keys(layer.Env)) {
		setIn(env, name, layer.Env[name])
	}
	epoch := time.Unix(0, 0).UTC()
	image.History = append(image.History, ocispec.History{Created: &epoch, CreatedBy: "wr build", Comment: "files of wr"})
	return json.Marshal(image)
}

// valueIn is what env has for name.
func valueIn(env []string, name string) string {
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// setIn gives name another value in env.
func setIn(env *[]string, name, value string) {
	entry := name + "=" + value
	at := slices.IndexFunc(*env, func(old string) bool { return strings.HasPrefix(old, name+"=") })
	if at < 0 {
		*env = append(*env, entry)
		return
	}
	(*env)[at] = entry
}
