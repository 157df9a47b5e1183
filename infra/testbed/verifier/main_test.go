package main

import (
	"flag"
	"strings"
	"testing"
)

func TestMisuseIsRefused(t *testing.T) {
	full := []string{"-cluster", "c", "-sts", "127.0.0.1:1", "-ca", "f"}
	for _, arguments := range [][]string{{}, full, append(full, "-check", "-mapping", "f"), append(full, "-check", "more"), {"-clutser", "c"}, {"-check=perhaps"}} {
		if _, err := parse(arguments); codeOf(err) != 2 {
			t.Errorf("%q: %v", arguments, err)
		}
	}
	google := []string{"-tokeninfo", "u", "-ca", "f"}
	for _, arguments := range [][]string{google, append(google, "-check"), append(google, "-mapping", "f", "-cluster", "c"), append(google, "-mapping", "f", "-sts", "s")} {
		if _, err := parse(arguments); codeOf(err) != 2 {
			t.Errorf("%q: %v", arguments, err)
		}
	}
	for _, arguments := range [][]string{append(full, "-check"), append(full, "-mapping", "f"), append(google, "-mapping", "f")} {
		if _, err := parse(arguments); err != nil {
			t.Errorf("%q: %v", arguments, err)
		}
	}
}

func TestAVerifierThatCouldKnowNoNameOfSTSDoesNotStart(t *testing.T) {
	given := []string{"-cluster", "c", "-sts", "127.0.0.1:1", "-ca", "/nowhere", "-check"}
	for said, more := range map[string][]string{
		"-region is missing": {},
		"-partition aws-moon: AWS has no such partition; it has aws, aws-cn": {"-region", "eu-west-1", "-partition", "aws-moon"},
		"/nowhere": {"-region", "cn-north-1", "-partition", "aws-cn"},
	} {
		err := run(append(given, more...), nil, nil)
		if codeOf(err) != 1 || !strings.Contains(err.Error(), said) {
			t.Errorf("%q: %v", more, err)
		}
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	if code := codeOf(flag.ErrHelp); code != 0 {
		t.Error(code)
	}
}
