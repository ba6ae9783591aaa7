package workspace

import "strings"

// Names are all names that Container finds, with the paths of their projects;
// those of [images] are their own.
func (w *Workspace) Names() map[string]string {
	called, ending := map[string][]string{}, map[string][]string{}
	for _, p := range w.Projects {
		if p.called(p.Name) {
			called[p.Name] = append(called[p.Name], p.Path)
		}
		for _, end := range endings(p.Path) {
			ending[end] = append(ending[end], p.Path)
		}
	}
	names := map[string]string{}
	for _, by := range []map[string][]string{ending, called} { // what is called so comes first
		for name, paths := range by {
			if delete(names, name); len(paths) == 1 {
				names[name] = paths[0]
			}
		}
	}
	for _, p := range w.Projects {
		names[p.Path] = p.Path
	}
	for _, entry := range w.Images {
		names[entry.Path] = entry.Path
	}
	return names
}

// endings are the last part, the last two parts, ... of a path.
func endings(of string) []string {
	var all []string
	for at := strings.LastIndexByte(of, '/'); at >= 0; at = strings.LastIndexByte(of[:at], '/') {
		all = append(all, of[at+1:])
	}
	return append(all, of)
}
