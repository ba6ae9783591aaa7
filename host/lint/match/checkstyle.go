package match

import (
	"encoding/xml"
	"fmt"

	"github.com/wr-build/wr/sdk/go/abi"
)

// checkstyleXML is a report in the format of Checkstyle.
type checkstyleXML struct {
	XMLName xml.Name `xml:"checkstyle"`
	Files   []struct {
		Name   string `xml:"name,attr"`
		Errors []struct {
			Line     int    `xml:"line,attr"`
			Column   int    `xml:"column,attr"`
			Severity string `xml:"severity,attr"`
			Message  string `xml:"message,attr"`
			Source   string `xml:"source,attr"`
		} `xml:"error"`
	} `xml:"file"`
}

// ignored is the severity of what Checkstyle was told to pass over.
const ignored = "ignore"

func (r *reading) checkstyle() ([]abi.Diagnostic, error) {
	if len(r.text()) == 0 {
		return nil, errEmpty
	}
	var doc checkstyleXML
	if err := xml.Unmarshal(r.text(), &doc); err != nil {
		return nil, fmt.Errorf("read as checkstyle: %w", err)
	}
	var all []abi.Diagnostic
	for _, f := range doc.Files {
		for _, e := range f.Errors {
			if e.Severity == ignored {
				continue
			}
			d := r.of(f.Name, e.Severity, e.Source, e.Message)
			d.Range.Start = r.position(d.File, e.Line, e.Column, characters)
			all = append(all, d)
		}
	}
	return all, nil
}
