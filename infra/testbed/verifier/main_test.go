package main

import (
	"flag"
	"strings"
	"testing"
)

func TestMisuseIsRefused(t *testing.T) {
	const aws = "-cluster=c -sts=127.0.0.1:1 -region=eu-west-1 -ca=/nowhere"
	for given, said := range map[string]string{
		"":                                "-cluster is missing, or -tokeninfo",
		"-ca=f -mapping=m":                "-cluster is missing, or -tokeninfo",
		"-tokeninfo=u -ca=f -check":       "-cluster is missing: -check",
		"-tokeninfo=u -sts=s -ca=f":       "-cluster is missing: -sts",
		"-cluster=c -ca=f -mapping=m":     "-sts is missing",
		"-cluster=c -sts=s -tokeninfo=u":  "-region is missing",
		"-cluster=c -sts=s -region=r":     "-ca is missing",
		"-tokeninfo=u":                    "-ca is missing",
		aws:                               "-mapping is missing",
		"-tokeninfo=u -ca=f":              "-mapping is missing",
		aws + " -check -mapping=m":        "-mapping is too much",
		aws + " -check more":              `"more" is no flag`,
		aws + " -check -partition=aws-mo": "-partition aws-mo: AWS has no such partition; it has aws, aws-cn",
		"-clutser=c":                      "clutser",
		"-check=perhaps":                  "perhaps",
	} {
		if err := run(strings.Fields(given), nil, nil); codeOf(err) != 2 || !strings.Contains(err.Error(), said) {
			t.Errorf("%q: %v", given, err)
		}
	}
}

func TestWhatIsCompleteIsNoMisuse(t *testing.T) {
	const aws = "-cluster=c -sts=127.0.0.1:1 -region=cn-north-1 -partition=aws-cn -ca=/nowhere"
	const google = "-tokeninfo=https://127.0.0.1:1 -ca=/nowhere -mapping=m"
	for _, given := range []string{aws + " -check", aws + " -mapping=m", google, google + " " + aws} {
		if err := run(strings.Fields(given), nil, nil); codeOf(err) != 1 || !strings.Contains(err.Error(), "/nowhere") {
			t.Errorf("%q: %v", given, err)
		}
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	if code := codeOf(flag.ErrHelp); code != 0 {
		t.Error(code)
	}
}
