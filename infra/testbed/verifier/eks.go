package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	authn "k8s.io/api/authentication/v1"
	"sigs.k8s.io/aws-iam-authenticator/pkg/config"
	"sigs.k8s.io/aws-iam-authenticator/pkg/mapper/file"
	"sigs.k8s.io/aws-iam-authenticator/pkg/token"
)

// eks asks AWS's verifier who signed a token, and AWS's mapper who that is in the cluster.
type eks struct {
	verifier token.Verifier
	mapper   *file.FileMapper
}

func (e eks) user(bearer string) (authn.UserInfo, error) {
	identity, err := e.verifier.Verify(bearer)
	if err != nil {
		return authn.UserInfo{}, err
	}
	mapping, err := e.mapper.Map(identity)
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

func readMapping(path string) (*file.FileMapper, error) {
	var entries struct {
		Roles []config.RoleMapping
		Users []config.UserMapping
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(content, &entries); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file.NewFileMapper(config.Config{RoleMappings: entries.Roles, UserMappings: entries.Users})
}
