package cli

import (
	"bytes"
	"context"
	"fmt"

	"github.com/wr-build/wr/host/config"
)

// configCmd is `wr config`.
type configCmd struct {
	Schema configSchemaCmd `cmd:"" help:"Print the JSON schema of wr.toml, for editors."`
}

type configSchemaCmd struct{}

// Read prints the schema.
func (configSchemaCmd) Read(_ context.Context, a *app) error {
	schema, err := config.Schema()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, "%s\n", bytes.TrimSpace(schema))
	return err
}
