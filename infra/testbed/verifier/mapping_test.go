package main

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAMappingThatNamesNobodyIsRefused(t *testing.T) {
	const arn = `"rolearn": "arn:aws:iam::111122223333:role/ml-runner"`
	for content, good := range map[string]bool{
		`{"roles": [{` + arn + `, "username": "ann", "groups": ["dev"]}]}`: true,
		`{"roles": [{` + arn + `}]}`:                                       false,
		`{"rolse": []}`:                                                    false,
		`{"roles": [{` + arn + `, "username": "ann", "grups": ["dev"]}]}`:  false,
		`{"users": [{"userarn": "arn:aws:iam::111122223333:user/x"}]}`:     false,
	} {
		if _, err := newEntries(written(t, content), nil); (err == nil) != good {
			t.Errorf("%s: %v", content, err)
		}
	}
}

func TestAnARNThatIsMappedTwiceIsRefusedAndNamed(t *testing.T) {
	row := func(kind, arn string) string {
		return `{"` + kind + `": "` + arn + `", "username": "ann", "groups": []}`
	}
	const role, user = "arn:aws:iam::111122223333:role/ml-runner", "arn:aws:iam::111122223333:user/ann"
	for content, twice := range map[string]string{
		`{"roles": [` + row("rolearn", role) + `], "users": [` + row("userarn", user) + `]}`:                        "",
		`{"roles": [` + row("rolearn", role) + `, ` + row("rolearn", role) + `]}`:                                   role,
		`{"roles": [` + row("rolearn", role) + `, ` + row("rolearn", strings.ToUpper(role)) + `]}`:                  strings.ToUpper(role),
		`{"users": [` + row("userarn", user) + `, ` + row("userarn", user+"2") + `, ` + row("userarn", user) + `]}`: user,
	} {
		_, err := newEntries(written(t, content), nil)
		if (err != nil) != (twice != "") {
			t.Errorf("%s: %v", content, err)
		} else if err != nil && !strings.Contains(err.Error(), `"`+twice+`" is mapped twice`) {
			t.Errorf("%s: %v", content, err)
		}
	}
}

func TestATokenFollowsNoRedirect(t *testing.T) {
	asked := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer elsewhere.Close()
	stub := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		http.Redirect(out, in, elsewhere.URL+"/?"+in.URL.RawQuery, http.StatusFound)
	}))
	defer stub.Close()
	trust := x509.NewCertPool()
	trust.AddCert(stub.Certificate())
	g, err := newGoogle(stub.URL+"/tokeninfo", trust, read(t, written(t, `{}`)))
	if err != nil {
		t.Fatal(err)
	}

	status, _ := review(t, &webhook{google: g}, "ya29.x")

	if status != http.StatusForbidden || asked != 0 {
		t.Errorf("%d, asked elsewhere %d times", status, asked)
	}
}
