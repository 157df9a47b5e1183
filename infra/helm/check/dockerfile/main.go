// Command dockerfile reads a Dockerfile as `docker build` does, with BuildKit's own parser and linter, and prints its
// instructions. Exits 1 with BuildKit's words when it refuses, or when the linter has anything to say.
//
//	go run ./dockerfile ../Dockerfile
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func main() {
	if err := read(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: dockerfile DOCKERFILE")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	tree, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return err
	}
	var warnings []error
	warn := func(rule, description, url, message string, location []parser.Range) {
		warnings = append(warnings, fmt.Errorf("%s: %s", rule, message))
	}
	stages, arguments, err := instructions.Parse(tree.AST, linter.New(&linter.Config{Warn: warn}))
	if err != nil {
		return err
	}
	for _, warning := range tree.Warnings {
		warnings = append(warnings, errors.New(warning.Short))
	}
	for _, argument := range arguments {
		fmt.Println(argument.String())
	}
	for _, stage := range stages {
		fmt.Println("FROM", stage.BaseName)
		for _, command := range stage.Commands {
			fmt.Println(command)
		}
	}
	return errors.Join(warnings...)
}
