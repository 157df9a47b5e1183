package main

import (
	"errors"
	"fmt"
	"strings"

	authn "k8s.io/api/authentication/v1"
	"sigs.k8s.io/aws-iam-authenticator/pkg/config"
	"sigs.k8s.io/aws-iam-authenticator/pkg/mapper/file"
	"sigs.k8s.io/aws-iam-authenticator/pkg/token"
)

// eks asks AWS's verifier who signed a token, and AWS's mapper who that is in the cluster.
type eks struct {
	verifier token.Verifier
	entries  entries
}

func (e eks) user(bearer string) (authn.UserInfo, error) {
	if e.verifier == nil {
		return authn.UserInfo{}, errors.New("a token that is not Google's, and no -cluster")
	}
	identity, err := e.verifier.Verify(bearer)
	if err != nil {
		return authn.UserInfo{}, err
	}
	known, err := e.entries()
	if err != nil {
		return authn.UserInfo{}, err
	}
	mapper, err := file.NewFileMapper(config.Config{RoleMappings: known.Roles, UserMappings: known.Users})
	if err != nil {
		return authn.UserInfo{}, err
	}
	mapping, err := mapper.Map(identity)
	if err != nil {
		return authn.UserInfo{}, fmt.Errorf("%w: %s", err, identity.CanonicalARN)
	}
	// The placeholders of pkg/server, which keeps their replacement to itself, but for the one that asks EC2.
	fill := strings.NewReplacer(
		"{{AccountID}}", identity.AccountID,
		"{{SessionName}}", strings.ReplaceAll(identity.SessionName, "@", "-"),
		"{{SessionNameRaw}}", identity.SessionName,
		"{{AccessKeyID}}", identity.AccessKeyID,
	).Replace
	groups := make([]string, 0, len(mapping.Groups))
	for _, group := range mapping.Groups {
		groups = append(groups, fill(group))
	}
	return authn.UserInfo{
		Username: fill(mapping.Username),
		UID:      "aws-iam-authenticator:" + identity.AccountID + ":" + identity.UserID,
		Groups:   groups,
		Extra: map[string]authn.ExtraValue{
			"arn":          {identity.ARN},
			"canonicalArn": {identity.CanonicalARN},
			"sessionName":  {identity.SessionName},
			"accessKeyId":  {identity.AccessKeyID},
			"principalId":  {identity.UserID},
		},
	}, nil
}
