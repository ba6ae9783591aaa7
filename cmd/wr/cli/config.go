package cli

import (
	"bytes"
	"context"
	"fmt"

	"github.com/wr-build/wr/host/config"
)

// configCmd is `wr config`.
type configCmd struct {
	Show   configShowCmd   `cmd:"" default:"withargs" help:"Show every value that counts here."`
	Schema configSchemaCmd `cmd:"" help:"Print the JSON schema of wr.toml, for editors."`
}

type configSchemaCmd struct {
	Personal bool `help:"Of a person's own file instead."`
}

// Read prints the schema.
func (c configSchemaCmd) Read(_ context.Context, a *app) error {
	describe := config.Schema
	if c.Personal {
		describe = config.PersonSchema
	}
	schema, err := describe()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, "%s\n", bytes.TrimSpace(schema))
	return err
}
