package main

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	authn "k8s.io/api/authentication/v1"
)

const (
	googlePrefix  = "ya29."
	cloudPlatform = "https://www.googleapis.com/auth/cloud-platform"
)

// google asks a token-info address whose an access token is. That GKE does so is a model: Google publishes no verifier.
type google struct {
	client  *http.Client
	address string
	entries entries
}

func newGoogle(address string, trust *x509.CertPool, all entries) (*google, error) {
	if address == "" {
		return nil, nil
	}
	client, err := newClient(address, trust)
	if err != nil {
		return nil, fmt.Errorf("-tokeninfo: %w", err)
	}
	return &google{client: client, address: address, entries: all}, nil
}

// user names the e-mail, or, where the token lacks the scope userinfo.email, the numeric id.
func (g *google) user(bearer string) (authn.UserInfo, error) {
	if g == nil {
		return authn.UserInfo{}, errors.New("a token of Google, and no -tokeninfo")
	}
	response, err := g.client.Get(g.address + "?access_token=" + url.QueryEscape(bearer))
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the URL, which holds the token
		}
		return authn.UserInfo{}, fmt.Errorf("tokeninfo: %w", err)
	}
	defer response.Body.Close()
	var info struct {
		Email, Azp, Scope string
		Error             string `json:"error_description"`
	}
	if err := json.NewDecoder(response.Body).Decode(&info); err != nil || response.StatusCode != http.StatusOK {
		return authn.UserInfo{}, fmt.Errorf("tokeninfo: %d %s", response.StatusCode, info.Error)
	}
	if !slices.Contains(strings.Fields(info.Scope), cloudPlatform) {
		return authn.UserInfo{}, errors.New("tokeninfo: the token lacks the scope cloud-platform")
	}
	name := info.Email
	if name == "" {
		name = info.Azp
	}
	if name == "" {
		return authn.UserInfo{}, errors.New("tokeninfo: the token is nobody's")
	}
	known, err := g.entries()
	if err != nil {
		return authn.UserInfo{}, err
	}
	return authn.UserInfo{Username: name, Groups: known.GoogleGroups}, nil
}
