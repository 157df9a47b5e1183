package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAnObjectOfAnotherKindIsNotJudged(t *testing.T) {
	recorder := httptest.NewRecorder()

	(&webhook{}).ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/authenticate", strings.NewReader(`{"kind": "Pod", "spec": {"token": "ya29.x"}}`)))

	if recorder.Code != http.StatusBadRequest {
		t.Errorf("%d %s", recorder.Code, recorder.Body)
	}
}
