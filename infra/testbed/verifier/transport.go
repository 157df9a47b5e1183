package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"time"
)

// stsHost matches STS's names in every partition; a name that no partition has was refused by the verifier before.
var stsHost = regexp.MustCompile(`^sts(-fips)?(\.[a-z0-9-]+){2,6}:443$`)

// newTransport dials one local address for STS's host names, whose certificate must be good for the name asked for, and
// refuses every other address. Proxies have no say.
func newTransport(sts string, trust *x509.CertPool) (http.RoundTripper, error) {
	if err := onLoopback(sts); err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if !stsHost.MatchString(address) {
			return nil, fmt.Errorf("refusing to dial %s: not STS", address)
		}
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, sts)
	}
	return &http.Transport{
		DialContext:         dial,
		TLSClientConfig:     &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12},
		IdleConnTimeout:     90 * time.Second,
		MaxIdleConnsPerHost: 10,
	}, nil
}

// onLoopback refuses an address that anybody but this machine can reach, or that is none.
func onLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%s is not an address of the loopback device", address)
	}
	return nil
}

func readPool(path string) (*x509.CertPool, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return pool, nil
}
