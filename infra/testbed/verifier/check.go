package main

import (
	"encoding/json"
	"errors"
	"io"

	"sigs.k8s.io/aws-iam-authenticator/pkg/token"
)

// verdict is what the verifier alone says of a token; nobody is mapped.
type verdict struct {
	Accepted bool   `json:"accepted"`
	ARN      string `json:"arn,omitempty"`
	Role     string `json:"role,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

func judge(verifier token.Verifier, bearer string) verdict {
	identity, err := verifier.Verify(bearer)
	if err != nil {
		return verdict{Reason: reasonOf(err)}
	}
	return verdict{Accepted: true, ARN: identity.ARN, Role: identity.CanonicalARN}
}

func check(verifier token.Verifier, in io.Reader, out io.Writer) error {
	read, write := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var bearer string
		if err := read.Decode(&bearer); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := write.Encode(judge(verifier, bearer)); err != nil {
			return err
		}
	}
}
