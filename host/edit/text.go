// Package edit changes files of a workspace: by edits of what is in them, or as a
// whole. Of several files all are written or none, as far as that can be known
// before the first is; each is replaced by one rename.
//
// # Contract
//
// No symbolic link is followed, neither at the end of a path nor on the way, whatever
// others rename meanwhile. A file that is there keeps its mode and owner.
package edit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/wr-build/wr/sdk/go/abi"
)

// ErrOverlap is that two edits are of the same bytes.
var ErrOverlap = errors.New("two edits are of the same bytes")

// Text is content with edits of its bytes, which must not overlap. Two that insert
// at the same place come in their order.
func Text(content []byte, edits []abi.Edit) ([]byte, error) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b abi.Edit) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	var out bytes.Buffer
	at := int64(0)
	for _, e := range edits {
		if e.Start < 0 || e.End < e.Start || e.End > int64(len(content)) {
			return nil, fmt.Errorf("an edit of the bytes %d to %d of %d", e.Start, e.End, len(content))
		}
		if e.Start < at {
			return nil, ErrOverlap
		}
		out.Write(content[at:e.Start])
		out.WriteString(e.Text)
		at = e.End
	}
	out.Write(content[at:])
	return out.Bytes(), nil
}
