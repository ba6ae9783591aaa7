package check_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/wr-build/wr/plugins/dockerfile/check"
	"github.com/wr-build/wr/sdk/go/abi"
)

// leftOut are the rules of BuildKit that depend on more than the file.
var leftOut = []string{"UndefinedVar", "WorkdirRelativePath", "InvalidBaseImagePlatform", "CopyIgnoredFile"}

// bare resolves every image to one that sets nothing.
type bare struct{}

func (bare) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	config, err := json.Marshal(ocispecs.Image{Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}})
	return ref, digest.FromBytes(config), config, err
}

// buildkit is what BuildKit itself says of a Dockerfile: a line for each finding.
// Where it would not be built, what comes after the error is not judged by it.
func buildkit(t *testing.T, src string) (lines []string, broken bool) {
	t.Helper()
	platform := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	results, err := dockerfile2llb.DockerfileLint(t.Context(), []byte(src), dockerfile2llb.ConvertOpt{
		MetaResolver: bare{}, TargetPlatform: &platform,
		SourceMap: &llb.SourceMap{Definition: &llb.Definition{}, Filename: "Dockerfile", Data: []byte(src)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range results.Warnings {
		if !slices.Contains(leftOut, w.RuleName) {
			first, last := w.Location.Ranges[0].Start.Line, w.Location.Ranges[len(w.Location.Ranges)-1].End.Line
			lines = append(lines, fmt.Sprintf("%d-%d %s %s %s", first, last, w.RuleName, w.Detail, w.URL))
		}
	}
	slices.Sort(lines)
	return lines, results.Error != nil
}

// ours is the same by this package. An error is a line "broken".
func ours(src string) (lines []string, broken bool) {
	for _, d := range check.File("Dockerfile", []byte(src), check.Config{}) {
		if d.Severity == abi.SeverityError && d.Rule == "ParseError" {
			broken = true
			continue
		}
		lines = append(lines, fmt.Sprintf("%d-%d %s %s %s", d.Range.Start.Line, d.Range.End.Line, d.Rule, d.Message, d.URL))
	}
	slices.Sort(lines)
	return lines, broken
}

func compare(t *testing.T, src string) {
	t.Helper()
	got, gotBroken := ours(src)
	want, wantBroken := buildkit(t, src)
	if wantBroken && !gotBroken {
		return // an error of what comes after parsing: BuildKit stops there
	}
	if gotBroken != wantBroken || !slices.Equal(got, want) {
		t.Errorf("got  %q, broken %v\nwant %q, broken %v\n%s", got, gotBroken, want, wantBroken, src)
	}
}

// written has, by what it shows, Dockerfiles that break each rule and ones that do not.
var written = map[string]string{
	"nothing to say":         "FROM debian:12\nRUN true\nCMD [\"x\"]\n",
	"stage names":            "FROM debian AS Base\nFROM debian AS base2\nFROM debian AS base2\nFROM debian AS scratch\nFROM debian AS context\n",
	"from as":                "FROM debian as a\nfrom debian AS b\n",
	"upper":                  "FROM debian\nrun true\nRun true\nRUN true\n",
	"lower":                  "from debian\nrun true\nCMD [\"x\"]\nOnbuild run true\n",
	"half and half":          "FROM debian\nrun true\n",
	"empty continuation":     "FROM debian\nRUN true && \\\n\n  true\n",
	"maintainer":             "FROM debian\nMAINTAINER me\n",
	"shell form":             "FROM debian\nCMD x y\nENTRYPOINT z\n",
	"a shell of its own":     "FROM debian AS a\nSHELL [\"/bin/bash\", \"-c\"]\nCMD x\nFROM a\nENTRYPOINT x\nFROM debian\nENTRYPOINT x\n",
	"of two stages the last": "FROM debian AS a\nFROM debian AS a\nSHELL [\"/bin/bash\", \"-c\"]\nFROM a\nCMD x\n",
	"several":                "FROM debian\nCMD [\"a\"]\nCMD [\"b\"]\nENTRYPOINT [\"a\"]\nENTRYPOINT [\"b\"]\nHEALTHCHECK NONE\nHEALTHCHECK NONE\nCMD [\"c\"]\nFROM debian\nCMD [\"a\"]\n",
	"pairs":                  "FROM debian\nENV a b\nENV c=d\nLABEL a b\nLABEL c=d e=f\n",
	"secrets":                "FROM debian\nARG TOKEN\nENV DB_PASSWORD=x PUBLIC_KEY=y KEY_FILE=z AUTHOR=a auth=b credential=1 credentials=2\nARG api_key=1 tokens=2\n",
	"ports":                  "FROM debian\nEXPOSE 80/TCP 80/udp 127.0.0.1:80:80 8080:80/Udp 81\n",
	"an argument of FROM":    "ARG VERSION=12\nFROM debian:${VERSION}\nFROM debian:${VERSON}\nFROM ${IMAGE}\n",
	"no default":             "ARG TAG\nFROM debian:$TAG\n",
	"platforms":              "FROM --platform=linux/amd64 debian\nFROM --platform=linux/arm64 debian AS build-arm64\nFROM --platform=$BUILDPLATFORM debian\nFROM --platform=$TARGETPLATFORM debian\nFROM --platform=${TARGETOS}/arm64 debian\n",
	"a platform nobody sets": "ARG PLATFORM=linux/amd64\nFROM --platform=$PLATFORM debian\nFROM --platform=$PLATFROM debian\n",
	"checks skipped":         "# check=skip=JSONArgsRecommended,StageNameCasing\nFROM debian AS Base\nCMD x\nMAINTAINER me\n",
	"all skipped":            "# check=skip=all\nFROM debian AS Base\nCMD x\n",
	"experimental":           "# check=experimental=all\n# nothing\nFROM debian AS base\n# no\nARG x\n",
	"skipped by a comment":   "FROM debian\n# check=skip=JSONArgsRecommended\nCMD x\nENTRYPOINT y\n",
	"a stage by a comment":   "ARG P=12\n# check=skip=StageNameCasing,FromPlatformFlagConstDisallowed\nFROM --platform=linux/amd64 debian AS Base\n",
	"a heredoc":              "FROM debian\nRUN <<EOF\ntrue\nEOF\nCMD x\n",
	"another escape":         "# escape=`\nFROM debian\nRUN a `\n  b\nCMD x `\n  y\n",
	"windows lines":          "FROM debian\r\nCMD x\r\n",
	"not an instruction":     "FROM debian\nRUNN x\n",
	"no stage":               "ARG x\n",
	"nothing":                "",
	"before FROM":            "RUN x\n",
	"not JSON":               "FROM debian\nSHELL x\n",
	"a flag that is none":    "FROM debian\nCOPY --form=x a b\n",
}

func TestWhatIsSaidIsWhatBuildKitSays(t *testing.T) {
	for name, src := range written {
		t.Run(name, func(t *testing.T) { compare(t, src) })
	}
}

func TestBuildKitsOwnFilesAreJudgedAsBuildKitDoes(t *testing.T) {
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/moby/buildkit/frontend/dockerfile/parser").Output()
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "testfiles*", "*", "Dockerfile"))
	if err != nil || len(names) < 30 {
		t.Fatalf("found %d files, %v", len(names), err)
	}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(filepath.Dir(name)), func(t *testing.T) { compare(t, string(src)) })
	}
}
