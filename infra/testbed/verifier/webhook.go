package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"regexp"
	"strings"

	authn "k8s.io/api/authentication/v1"
)

const maxReviewBytes = 1 << 20

// webhook answers TokenReviews with the statuses of AWS's server (pkg/server): 200, 403 for every refusal and 429 when STS
// throttles. So the API server never reads a reason, and its client gets nothing but "Unauthorized".
type webhook struct {
	aws    eks
	google *google
	log    *log.Logger
}

func (w *webhook) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	var review authn.TokenReview // v1 and v1beta1 have one shape; the answer repeats the version asked
	err := json.NewDecoder(http.MaxBytesReader(out, in.Body, maxReviewBytes)).Decode(&review)
	if err != nil || review.Kind != "" && review.Kind != "TokenReview" {
		http.Error(out, "expected a request body to be a TokenReview", http.StatusBadRequest)
		return
	}
	judge := w.aws.user
	if strings.HasPrefix(review.Spec.Token, googlePrefix) {
		judge = w.google.user
	}
	user, err := judge(review.Spec.Token)
	status := statusOf(err)
	w.note(status, user.Username, err)
	review.Spec = authn.TokenReviewSpec{}
	review.Status = authn.TokenReviewStatus{Authenticated: err == nil, User: user}
	out.Header().Set("Content-Type", "application/json; charset=UTF-8")
	out.WriteHeader(status)
	if err := json.NewEncoder(out).Encode(review); err != nil && w.log != nil {
		w.log.Print(err)
	}
}

func newLog(out io.Writer) *log.Logger { return log.New(out, "", 0) }

// fromURL finds where an error begins to quote a token's URL: as url.Parse does, which is given all of it, or because the
// URL ends nowhere, so that its query counts as its host.
var fromURL = regexp.MustCompile(`(?is)parse ".*|x-amz-[a-z-]+(=|%3d).*`)

// reasonOf writes an error without what the token holds of secrets: its URL is as good as the token.
func reasonOf(err error) string {
	return fromURL.ReplaceAllString(err.Error(), "(malformed URL, not shown)")
}

// note logs a verdict, never a token.
func (w *webhook) note(status int, username string, err error) {
	if w.log == nil {
		return
	}
	reason := ""
	if err != nil {
		reason = reasonOf(err)
	}
	line, _ := json.Marshal(map[string]any{"status": status, "user": username, "refused": reason})
	w.log.Print(string(line))
}

func statusOf(err error) int {
	switch {
	case err == nil:
		return http.StatusOK
	case fmt.Sprintf("%T", err) == "token.STSThrottling": // by name: v0.6 has no such type, and answers 403
		return http.StatusTooManyRequests
	default:
		return http.StatusForbidden
	}
}
