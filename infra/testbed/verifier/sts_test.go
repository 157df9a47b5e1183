package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"sigs.k8s.io/aws-iam-authenticator/pkg/token"
)

const (
	stsName   = "sts.eu-west-1.amazonaws.com"
	identity  = `{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Account":"111122223333","Arn":"arn:aws:sts::111122223333:assumed-role/ml-runner/w@1","UserId":"AROAX:w@1"}}}`
	throttled = `{"Error":{"Code":"Throttling","Message":"Rate exceeded","Type":"Sender"},"RequestId":"x"}`
	refused   = `{"Error":{"Code":"SignatureDoesNotMatch","Message":"no","Type":"Sender"},"RequestId":"x"}`
)

// stubSTS answers every request alike, under the host name its certificate holds.
type stubSTS struct {
	server *httptest.Server
	trust  *x509.CertPool
	asked  []*http.Request
}

func newSTS(t *testing.T, name string, status int, body string) *stubSTS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	stub := &stubSTS{trust: x509.NewCertPool()}
	stub.trust.AddCert(certificate)
	stub.server = httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		stub.asked = append(stub.asked, in)
		out.WriteHeader(status)
		fmt.Fprint(out, body)
	}))
	stub.server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	stub.server.Config.ErrorLog = newLog(io.Discard)
	stub.server.StartTLS()
	t.Cleanup(stub.server.Close)
	return stub
}

// verifier returns AWS's verifier behind a transport that ends at the stub.
func (s *stubSTS) verifier(t *testing.T) token.Verifier {
	t.Helper()
	transport, err := newTransport(s.server.Listener.Addr().String(), s.trust)
	if err != nil {
		t.Fatal(err)
	}
	before := http.DefaultTransport
	t.Cleanup(func() { http.DefaultTransport = before })
	http.DefaultTransport = transport
	return token.NewVerifier("prod", "aws", "eu-west-1")
}

// bearer returns a well-formed token for a host, which nobody signed.
func bearer(host string) string {
	date := time.Now().UTC().Format("20060102T150405Z")
	query := "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential=AKIAX%2F1&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Signature=0&X-Amz-Date=" + date
	return "k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte("https://"+host+"/?"+query))
}
