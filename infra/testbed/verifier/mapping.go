package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"sigs.k8s.io/aws-iam-authenticator/pkg/config"
)

// mapping says who is who in the cluster. GoogleGroups are the groups of everybody whom token info knows; in GKE it is
// IAM's authorizer that gives them rights.
type mapping struct {
	Roles        []config.RoleMapping
	Users        []config.UserMapping
	GoogleGroups []string
}

// entries reads the mapping. Each review reads it anew: an access entry counts as soon as it is made.
type entries func() (mapping, error)

// newEntries reads from a file, or from an https URL on the loopback device.
func newEntries(place string, trust *x509.CertPool) (entries, error) {
	read := func() ([]byte, error) { return os.ReadFile(place) }
	if strings.HasPrefix(place, "https:") {
		client, err := newClient(place, trust)
		if err != nil {
			return nil, err
		}
		read = func() ([]byte, error) { return fetch(client, place) }
	}
	all := func() (mapping, error) {
		var found mapping
		content, err := read()
		if err == nil {
			read := json.NewDecoder(bytes.NewReader(content))
			read.DisallowUnknownFields()
			err = read.Decode(&found)
		}
		if err == nil {
			err = found.check()
		}
		if err != nil {
			return mapping{}, fmt.Errorf("mapping %s: %w", place, err)
		}
		return found, nil
	}
	_, err := all()
	return all, err
}

// check refuses what maps somebody to nobody, or twice: of two rows the mapper would keep the last without a word.
func (m mapping) check() error {
	seen := map[string]bool{}
	row := func(kind, arn, username string) error {
		if username == "" {
			return fmt.Errorf("%s %q has no username", kind, arn)
		}
		key := strings.ToLower(arn) // as the mapper compares
		if key != "" && seen[key] {
			return fmt.Errorf("%s %q is mapped twice", kind, arn)
		}
		seen[key] = true
		return nil
	}
	for _, role := range m.Roles {
		if err := row("role", role.RoleARN, role.Username); err != nil {
			return err
		}
	}
	for _, user := range m.Users {
		if err := row("user", user.UserARN, user.Username); err != nil {
			return err
		}
	}
	return nil
}

func fetch(client *http.Client, address string) ([]byte, error) {
	response, err := client.Get(address)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("expected 200, got %d", response.StatusCode)
	}
	return io.ReadAll(response.Body)
}

// newClient makes a client for one https URL on the loopback device.
func newClient(address string, trust *x509.CertPool) (*http.Client, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "https" {
		return nil, fmt.Errorf("%s is not an https URL", address)
	}
	if err := onLoopback(parsed.Host); err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12}}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // elsewhere is not the loopback device
	return &http.Client{Transport: transport, Timeout: 10 * time.Second, CheckRedirect: stay}, nil
}
