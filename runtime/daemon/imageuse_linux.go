package daemon

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/log"

	"github.com/wr-build/wr/runtime/spec"
)

// labelUsed of an image is when a container of it was used last, in RFC 3339.
const labelUsed = "wr.used"

// labelKey of an image is the key of the inputs that it was made from. Only
// those that have one can be made again from what is in a workspace.
const labelKey = "wr.key"

// noteEvery is how exactly uses of images are noted. It bounds the writes.
const noteEvery = time.Hour

// uses remembers which uses of images have been noted. Its zero value is ready.
type uses struct {
	mu    sync.Mutex // guards noted
	noted map[string]time.Time
}

// due reports whether a use of ref has to be noted, and takes it as noted.
func (u *uses) due(ref string, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if last, ok := u.noted[ref]; ok && now.Sub(last) < noteEvery {
		return false
	}
	if u.noted == nil {
		u.noted = make(map[string]time.Time)
	}
	u.noted[ref] = now
	return true
}

// noteUse writes down that the image ref is used now. It only ever costs an
// image that is cleaned up too early, and so fails silently for the user.
func (s *server) noteUse(ctx context.Context, ref string) {
	now := s.cfg.Now()
	if !s.uses.due(ref, now) {
		return
	}
	record := images.Image{Name: ref, Labels: map[string]string{labelUsed: now.UTC().Format(time.RFC3339)}}
	if _, err := s.daemons.Containerd().ImageService().Update(ctx, record, "labels."+labelUsed); err != nil {
		log.G(ctx).WithError(err).WithField("image", ref).Warn("the use of an image could not be noted")
	}
}

// usedImage is an image and when it was used or made last.
type usedImage struct {
	spec.Image
	last time.Time
}

// madeImages lists the images that were made from inputs, the oldest use first.
func madeImages(ctx context.Context, c *client.Client) ([]usedImage, error) {
	records, err := c.ImageService().List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	var out []usedImage
	for _, r := range records {
		if r.Labels[labelKey] != "" {
			out = append(out, usedImage{toImage(ctx, c, r), lastUsed(r)})
		}
	}
	slices.SortFunc(out, func(a, b usedImage) int { return cmp.Or(a.last.Compare(b.last), cmp.Compare(a.Ref, b.Ref)) })
	return out, nil
}

// lastUsed is when an image was used or made last.
func lastUsed(r images.Image) time.Time {
	noted, err := time.Parse(time.RFC3339, r.Labels[labelUsed])
	if err != nil || noted.Before(r.UpdatedAt) {
		return r.UpdatedAt
	}
	return noted
}

// part sorts images, the oldest use first, into those that nobody needs and
// those that others may need: they can be made again. Of the latter, those
// that have no newer one come last. What is in needed, or was used a moment
// ago, is in neither. One that was used in the future, as a clock had it that
// was wrong, may be needed.
//
// An image that has no newer one beside it is never without need. Its project
// may lie in a workspace that this call knows nothing of. The one used last may
// be that of the present inputs, and the one made last is what --use-last runs.
func part(all []usedImage, needed map[string]bool, now time.Time, unused time.Duration) (stale, spare []usedImage) {
	last := newest(all)
	for _, i := range all {
		idle := now.Sub(i.last)
		switch {
		case needed[i.Ref] || idle.Abs() < min(unused, noteEvery):
		case idle >= unused && !last[i.Ref]:
			stale = append(stale, i)
		default:
			spare = append(spare, i)
		}
	}
	slices.SortStableFunc(spare, func(a, b usedImage) int {
		switch {
		case last[a.Ref] == last[b.Ref]:
			return 0
		case last[b.Ref]:
			return -1
		default:
			return 1
		}
	})
	return stale, spare
}

// newest are the images that were used last of their series, and those that
// were made last. All comes with the oldest use first.
func newest(all []usedImage) map[string]bool {
	used, made := make(map[string]usedImage), make(map[string]usedImage)
	for _, i := range all {
		s := series(i.Ref)
		used[s] = i
		if !i.Created.Before(made[s].Created) {
			made[s] = i
		}
	}
	out := make(map[string]bool)
	for s := range used {
		out[used[s].Ref], out[made[s].Ref] = true, true
	}
	return out
}

// series names the images of which one follows the other: those made from the
// inputs of a project. The tags of a finished image stand side by side.
func series(ref string) string {
	if strings.HasPrefix(ref, spec.LocalHost+"/") {
		return repository(ref)
	}
	return ref
}

// repository is a reference without its tag.
func repository(ref string) string {
	at := strings.LastIndexByte(ref, ':')
	if at <= strings.LastIndexByte(ref, '/') {
		return ref
	}
	return ref[:at]
}
