package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	authn "k8s.io/api/authentication/v1"
)

func TestNoSecretOfAMalformedTokenIsWritten(t *testing.T) {
	const signature, session = "5ec2e75ec2e75ec2e7", "IQoJb3JpZ2luX2Vj"
	const query = "Action=GetCallerIdentity&X-Amz-Signature=" + signature + "&X-Amz-Security-Token=" + session
	verifier := newSTS(t, stsName, http.StatusOK, identity).verifier(t)
	for _, url := range []string{
		"https://" + stsName + "/?" + query + "\x7f",
		"https://" + stsName + "/?" + query + "\n",
		"https://" + stsName + ":zz/?" + query,
		"https://" + stsName + ":" + query,
		"https://" + stsName + "&" + query,
		"https://" + stsName + "/" + query,
		"https://[sts/?" + query,
		"1https://" + stsName + "/?" + query,
		"https://" + stsName + "%zz/?" + query,
		query + "://" + stsName,
		query,
	} {
		given := "k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte(url))
		body, _ := json.Marshal(authn.TokenReview{Spec: authn.TokenReviewSpec{Token: given}})
		var log bytes.Buffer
		w := &webhook{aws: eks{verifier: verifier}, log: newLog(&log)}

		w.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/authenticate", bytes.NewReader(body)))
		checked := judge(verifier, given)

		for _, written := range []string{log.String(), checked.Reason} {
			if written == "" || strings.Contains(written, signature) || strings.Contains(written, session) {
				t.Errorf("%q: %s", url, written)
			}
		}
		if checked.Accepted {
			t.Errorf("%q was accepted", url)
		}
	}
}
