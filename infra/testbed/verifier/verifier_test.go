package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	authn "k8s.io/api/authentication/v1"
	"sigs.k8s.io/aws-iam-authenticator/pkg/token"
)

func TestEveryHostButSTSIsRefused(t *testing.T) {
	stub := newSTS(t, stsName, http.StatusOK, identity)
	stub.verifier(t)
	for _, address := range []string{"https://example.com/", "https://eks.eu-west-1.amazonaws.com/", "http://" + stsName + "/", "https://" + stsName + ":444/"} {
		response, err := http.Get(address)
		if err == nil {
			response.Body.Close()
			t.Errorf("%s was dialled", address)
		} else if !strings.Contains(err.Error(), "refusing to dial") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if len(stub.asked) != 0 {
		t.Errorf("STS was asked %d times", len(stub.asked))
	}
}

func TestTheNameOfSTSIsVerified(t *testing.T) {
	stub := newSTS(t, "sts.us-east-1.amazonaws.com", http.StatusOK, identity)

	said := judge(stub.verifier(t), bearer(stsName))

	if said.Accepted || !strings.Contains(said.Reason, "certificate is valid for sts.us-east-1.amazonaws.com, not "+stsName) {
		t.Errorf("%+v", said)
	}
}

func TestTheClusterIsToldToSTS(t *testing.T) {
	stub := newSTS(t, stsName, http.StatusOK, identity)

	said := judge(stub.verifier(t), bearer(stsName))

	if !said.Accepted || said.Role != "arn:aws:iam::111122223333:role/ml-runner" {
		t.Errorf("%+v", said)
	}
	if id, host := stub.asked[0].Header.Get("x-k8s-aws-id"), stub.asked[0].Host; id != "prod" || host != stsName {
		t.Errorf("STS %s was asked for cluster %q", host, id)
	}
}

func TestAddressesBeyondTheLoopbackAreRefused(t *testing.T) {
	for _, address := range []string{"0.0.0.0:1", "10.0.0.1:1", ":1", "localhost:1", "127.0.0.1", "[::]:1"} {
		if onLoopback(address) == nil {
			t.Errorf("%s was accepted", address)
		}
	}
	for _, address := range []string{"127.0.0.1:1", "[::1]:1"} {
		if err := onLoopback(address); err != nil {
			t.Error(err)
		}
	}
}

func written(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mapping.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) entries {
	t.Helper()
	all, err := newEntries(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func serveWith(t *testing.T, v token.Verifier, content string, log *log.Logger) *webhook {
	t.Helper()
	return &webhook{aws: eks{verifier: v, entries: read(t, written(t, content))}, log: log}
}

// review asks a webhook about a token as an API server does.
func review(t *testing.T, w http.Handler, bearer string) (int, authn.TokenReview) {
	t.Helper()
	body, _ := json.Marshal(authn.TokenReview{Spec: authn.TokenReviewSpec{Token: bearer}})
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/authenticate", bytes.NewReader(body)))
	var answer authn.TokenReview
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%d %s", recorder.Code, recorder.Body)
	}
	return recorder.Code, answer
}

const mapped = `{"roles": [{"rolearn": "arn:aws:iam::111122223333:role/ml-runner", "username": "aws:{{SessionName}}:{{SessionNameRaw}}", "groups": ["{{AccountID}}"]}]}`

func TestAMappedRoleIsAUserWithGroups(t *testing.T) {
	w := serveWith(t, newSTS(t, stsName, http.StatusOK, identity).verifier(t), mapped, nil)

	status, answer := review(t, w, bearer(stsName))

	user := answer.Status.User
	if status != http.StatusOK || !answer.Status.Authenticated || user.Username != "aws:w-1:w@1" || user.Groups[0] != "111122223333" {
		t.Errorf("%d %+v", status, answer.Status)
	}
	if user.UID != "aws-iam-authenticator:111122223333:AROAX" || user.Extra["arn"][0] != "arn:aws:sts::111122223333:assumed-role/ml-runner/w@1" {
		t.Errorf("%+v", user)
	}
	if answer.Spec.Token != "" {
		t.Error("the answer repeats the token")
	}
}

func TestAnEntryCountsAsSoonAsItIsMade(t *testing.T) {
	content := `{}`
	stub := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { _, _ = out.Write([]byte(content)) }))
	defer stub.Close()
	trust := x509.NewCertPool()
	trust.AddCert(stub.Certificate())
	all, err := newEntries(stub.URL+"/prod", trust)
	if err != nil {
		t.Fatal(err)
	}
	w := &webhook{aws: eks{verifier: newSTS(t, stsName, http.StatusOK, identity).verifier(t), entries: all}}

	before, _ := review(t, w, bearer(stsName))
	content = mapped
	after, _ := review(t, w, bearer(stsName))

	if before != http.StatusForbidden || after != http.StatusOK {
		t.Errorf("%d, then %d", before, after)
	}
}

func TestAMappingThatCannotBeReadIsSaidAtOnce(t *testing.T) {
	for _, place := range []string{"/nowhere", written(t, "{"), "https://10.0.0.1:1/", "https://127.0.0.1:1/"} {
		if _, err := newEntries(place, nil); err == nil {
			t.Errorf("%s was read", place)
		}
	}
}

func TestTokensOfAWSAreRefusedWithoutACluster(t *testing.T) {
	status, answer := review(t, &webhook{}, bearer(stsName))

	if status != http.StatusForbidden || answer.Status.Authenticated {
		t.Errorf("%d %+v", status, answer.Status)
	}
}

func TestAReasonIsLoggedAndNeverAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		status                int
		body, entries, reason string
	}{
		"unmapped": {http.StatusOK, identity, `{}`, "is not mapped: arn:aws:iam::111122223333:role/ml-runner"},
		"refused":  {http.StatusForbidden, refused, mapped, "SignatureDoesNotMatch"},
		"down":     {http.StatusInternalServerError, "", mapped, "expected 200, got 500"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			w := serveWith(t, newSTS(t, stsName, c.status, c.body).verifier(t), c.entries, newLog(&log))
			given := bearer(stsName)

			status, answer := review(t, w, given)

			if status != http.StatusForbidden || answer.Status.Authenticated || answer.Status.Error != "" {
				t.Errorf("%d %+v", status, answer.Status)
			}
			if !strings.Contains(log.String(), c.reason) || strings.Contains(log.String(), given) {
				t.Errorf("log: %s", log.String())
			}
		})
	}
}

func TestThrottlingIsToldApartSinceV07(t *testing.T) {
	w := serveWith(t, newSTS(t, stsName, http.StatusBadRequest, throttled).verifier(t), mapped, nil)
	expected := http.StatusTooManyRequests
	if strings.HasPrefix(release(t), "v0.6.") {
		expected = http.StatusForbidden
	}

	status, _ := review(t, w, bearer(stsName))

	if status != expected {
		t.Errorf("%d, not %d", status, expected)
	}
}

func release(t *testing.T) string {
	t.Helper()
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "sigs.k8s.io/aws-iam-authenticator" {
			return module.Version
		}
	}
	t.Skip("the test binary does not know its modules")
	return ""
}

func TestWhatIsNoReviewIsRefused(t *testing.T) {
	recorder := httptest.NewRecorder()

	(&webhook{}).ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/authenticate", strings.NewReader("no JSON")))

	if recorder.Code != http.StatusBadRequest {
		t.Error(recorder.Code)
	}
}

func TestGooglesTokensAreNamedByTokenInfo(t *testing.T) {
	const both = cloudPlatform + " https://www.googleapis.com/auth/userinfo.email"
	for body, expected := range map[string]string{
		`{"email": "a@b", "azp": "104", "scope": "` + both + `"}`:          "a@b",
		`{"azp": "104", "scope": "` + cloudPlatform + `"}`:                 "104",
		`{"email": "a@b", "azp": "104", "scope": "openid"}`:                "",
		`{"error": "invalid_token", "error_description": "Invalid Value"}`: "",
	} {
		status := http.StatusOK
		if strings.Contains(body, "error") {
			status = http.StatusBadRequest
		}
		stub := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
			if in.URL.Query().Get("access_token") != "ya29.x" {
				t.Errorf("asked %s", in.URL)
			}
			out.WriteHeader(status)
			_, _ = out.Write([]byte(body))
		}))
		trust := x509.NewCertPool()
		trust.AddCert(stub.Certificate())
		g, err := newGoogle(stub.URL+"/tokeninfo", trust, read(t, written(t, `{"googleGroups": ["admins"]}`)))
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		_, answer := review(t, &webhook{google: g, log: newLog(&log)}, "ya29.x")
		stub.Close()
		if answer.Status.User.Username != expected || answer.Status.Authenticated != (expected != "") {
			t.Errorf("%s: %+v", body, answer.Status)
		}
		if named := len(answer.Status.User.Groups) == 1; named != (expected != "") {
			t.Errorf("%s: groups %q", body, answer.Status.User.Groups)
		}
		if strings.Contains(log.String(), "ya29.x") {
			t.Error("the log holds the token")
		}
	}
}

func TestGooglesTokensAreRefusedWithoutTokenInfo(t *testing.T) {
	status, answer := review(t, &webhook{}, "ya29.x")

	if status != http.StatusForbidden || answer.Status.Authenticated {
		t.Errorf("%d %+v", status, answer.Status)
	}
}

func TestTheKubeconfigLeadsToACertificateThatItTrusts(t *testing.T) {
	served, caPEM, err := newIdentity()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {}))
	server.TLS = served
	server.StartTLS()
	defer server.Close()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := writeKubeconfig(path, server.URL+"/authenticate", caPEM); err != nil {
		t.Fatal(err)
	}
	var document struct {
		Clusters []struct {
			Cluster struct {
				Server string
				CA     []byte `json:"certificate-authority-data"`
			}
		}
	}
	content, _ := os.ReadFile(path)
	if err := json.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	cluster := document.Clusters[0].Cluster
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(cluster.CA)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}}}

	response, err := client.Get(cluster.Server)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
}

func TestChecksAnswerEachTokenInOrder(t *testing.T) {
	stub := newSTS(t, stsName, http.StatusOK, identity)
	in, _ := json.Marshal(bearer(stsName))
	var out bytes.Buffer

	err := check(stub.verifier(t), strings.NewReader(string(in)+`"nonsense"`), &out)

	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err != nil || len(lines) != 2 || !strings.Contains(lines[0], `"accepted":true`) || !strings.Contains(lines[1], "missing expected") {
		t.Errorf("%v %q", err, lines)
	}
}
