package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

type imageLsCmd struct {
	All bool `short:"a" help:"Every image of the store, also those of other workspaces, and bases."`
}

// Read lists images.
func (c *imageLsCmd) Read(ctx context.Context, a *app) error {
	engine, images, err := a.images(ctx, c.All)
	if err != nil {
		return err
	}
	defer engine.Close()
	if a.JSON {
		return a.printJSON(orEmpty(images))
	}
	var rows [][]string
	for _, i := range images {
		rows = append(rows, []string{projectOf(i), i.Ref, size(i.Size), i.Created.Local().Format(time.DateTime)})
	}
	return ui.Table(a.Out, []string{"PROJECT", "IMAGE", ">SIZE", "CREATED"}, rows)
}

type imageRmCmd struct {
	Images []string `arg:"" optional:"" name:"image" predictor:"container" help:"Projects and entries of [images], all of whose images go, or images by the name that ls shows."`
	Old    bool     `help:"All but the newest image of each project."`
}

// Prepare finds the images to remove.
func (c *imageRmCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	if c.Old == (len(c.Images) > 0) {
		return deed{}, &fault.Error{Code: "image.rm_what", Class: fault.Usage, Message: "name images or projects, or say --old", Next: "wr image ls"}
	}
	engine, images, err := a.images(ctx, false)
	if err != nil {
		return deed{}, err
	}
	if images, err = c.chosen(ctx, a, images); err != nil {
		return deed{}, errors.Join(err, engine.Close())
	}
	return deed{
		show: func() error { return a.eachImage(images, "would remove", func(string) error { return nil }) },
		do: func() error {
			return a.eachImage(images, "removed", func(ref string) error { return engine.Forget(ctx, ref) })
		},
		end: engine.Close,
	}, nil
}

// eachImage does something with each image and says so.
func (a *app) eachImage(images []spec.Image, done string, do func(ref string) error) error {
	for _, i := range images {
		if err := do(i.Ref); err != nil {
			return err
		}
		if !a.JSON && !a.Quiet {
			fmt.Fprintf(a.Out, "%s %s\n", done, i.Ref)
		}
	}
	if a.JSON {
		return a.printJSON(orEmpty(images))
	}
	return nil
}

// chosen are the images that the user means.
func (c *imageRmCmd) chosen(ctx context.Context, a *app, images []spec.Image) ([]spec.Image, error) {
	if c.Old {
		return old(images), nil
	}
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return nil, err
	}
	var all []spec.Image
	for _, word := range c.Images {
		found, err := called(ws, images, word)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// called are the images that word names: one by its reference, or those of a
// project or an entry of [images].
func called(ws *workspace.Workspace, images []spec.Image, word string) ([]spec.Image, error) {
	if i := slices.IndexFunc(images, func(i spec.Image) bool { return i.Ref == word }); i >= 0 {
		return images[i : i+1], nil
	}
	if strings.Contains(word, ":") {
		return nil, &fault.Error{
			Code: "image.unknown", Class: fault.Usage, Message: "this workspace has no image " + word, Hint: fault.Closest(word, refs(images)), Next: "wr image ls",
		}
	}
	p, ok := ws.Image(word)
	var err error
	if !ok {
		p, err = ws.Find(word)
	}
	return slices.DeleteFunc(slices.Clone(images), func(i spec.Image) bool { return projectOf(i) != p.Path }), err
}

// old are all images but the newest of each project.
func old(images []spec.Image) []spec.Image {
	last := map[string]time.Time{}
	for _, i := range images {
		if i.Created.After(last[projectOf(i)]) {
			last[projectOf(i)] = i.Created
		}
	}
	return slices.DeleteFunc(slices.Clone(images), func(i spec.Image) bool { return i.Created.Equal(last[projectOf(i)]) })
}

// images are those of this workspace in the local store, or all of them.
func (a *app) images(ctx context.Context, everywhere bool) (Engine, []spec.Image, error) {
	prefix := ""
	if !everywhere {
		ws, err := workspace.Load(ctx, a.dir)
		if err != nil {
			return nil, nil, err
		}
		prefix = plan.Refs(ws)
	}
	engine, err := a.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	images, err := engine.Images(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, engine.Close())
	}
	return engine, slices.DeleteFunc(images, func(i spec.Image) bool { return !strings.HasPrefix(i.Ref, prefix) }), nil
}

// projectOf is the project that an image was made for.
func projectOf(i spec.Image) string {
	if p := i.Labels["wr.project"]; p != "" {
		return p
	}
	return "-"
}

// refs are the names of images.
func refs(images []spec.Image) []string {
	names := make([]string, len(images))
	for i, one := range images {
		names[i] = one.Ref
	}
	return names
}
