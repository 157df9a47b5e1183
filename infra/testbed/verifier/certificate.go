package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"time"
)

const lifetime = 30 * 24 * time.Hour

// newIdentity makes the webhook's certificate, which is its own CA and lives as long as the process, and returns it for
// the server and as PEM for whoever trusts it.
func newIdentity() (*tls.Config, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: "token verifier"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(lifetime),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	certificate := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	trusted := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}, trusted, nil
}

// writeKubeconfig writes the file in one step: whoever waits for it finds it whole.
func writeKubeconfig(path, server string, caPEM []byte) error {
	type object map[string]any
	content, err := json.Marshal(object{
		"apiVersion":      "v1",
		"kind":            "Config",
		"current-context": "verifier",
		"clusters":        []object{{"name": "verifier", "cluster": object{"server": server, "certificate-authority-data": caPEM}}},
		"users":           []object{{"name": "api-server", "user": object{}}},
		"contexts":        []object{{"name": "verifier", "context": object{"cluster": "verifier", "user": "api-server"}}},
	})
	if err != nil {
		return err
	}
	unfinished := path + ".new"
	if err := os.WriteFile(unfinished, content, 0o600); err != nil {
		return err
	}
	return os.Rename(unfinished, path)
}
