// Command verifier answers a kube-apiserver's TokenReviews as the control plane of EKS does: with the token verifier and
// the identity mapper of sigs.k8s.io/aws-iam-authenticator, unchanged. Every connection to STS ends at one local address,
// and nothing else is dialled. Google's access tokens (ya29.) are asked of a token-info address.
//
//	verifier -cluster NAME -region eu-west-1 -sts 127.0.0.1:PORT -ca CA.pem -mapping MAP.json -kubeconfig OUT
//	verifier -tokeninfo https://127.0.0.1:PORT/tokeninfo -ca CA.pem -mapping MAP.json -kubeconfig OUT
//	verifier -cluster NAME -region eu-west-1 -sts 127.0.0.1:PORT -ca CA.pem -check < tokens
//
// The first two forms, also together, serve until they are killed and write OUT, the kubeconfig for
// --authentication-token-webhook-config-file, once they do. The third reads JSON strings and answers each with one line
// of JSON.
//
// It exits with 2 when it is called in a wrong way, and with 1 for every other reason not to serve.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/aws-iam-authenticator/pkg/token"
)

type options struct {
	listen, kubeconfig             string
	cluster, partition, region     string
	sts, tokenInfo, caPEM, mapping string
	logReasons, check              bool
}

// partitions are those that AWS's verifier has names of STS for; told of another one, it would serve and refuse every token.
var partitions = []string{"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"}

// misuse is a call that no machine and no world could make good.
type misuse struct{ error }

func parse(arguments []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("verifier", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "address of the webhook, on the loopback device; port 0 takes a free one")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "where to write the kubeconfig that leads an API server here")
	flags.StringVar(&o.cluster, "cluster", "", "the cluster's id, which tokens hold in x-k8s-aws-id; without it AWS's tokens are refused")
	flags.StringVar(&o.partition, "partition", "aws", "AWS partition of the cluster")
	flags.StringVar(&o.region, "region", "", "region of the cluster")
	flags.StringVar(&o.sts, "sts", "", "host:port on the loopback device that plays STS under all of its names; needed with -cluster")
	flags.StringVar(&o.tokenInfo, "tokeninfo", "", "https URL on the loopback device of Google's token info; without it Google's tokens are refused")
	flags.StringVar(&o.caPEM, "ca", "", "PEM file with the CA of all of these")
	flags.StringVar(&o.mapping, "mapping", "", `file or https URL on the loopback device: {"roles": [{"rolearn", "username", "groups"}], "users": [{"userarn", "username", "groups"}], "googleGroups": []}`)
	flags.BoolVar(&o.logReasons, "log-reasons", false, "write why a token was refused to standard output; clients never learn it")
	flags.BoolVar(&o.check, "check", false, "do not serve: judge the tokens on standard input")
	if err := flags.Parse(arguments); errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(os.Stdout)
		flags.Usage()
		return o, err
	} else if err != nil {
		return o, misuse{err}
	}
	if wrong := o.wrong(flags.Args()); wrong != "" {
		return o, misuse{errors.New(wrong)}
	}
	return o, nil
}

// wrong names the first flag that is missing, or too much, or with which the verifier would know no name of STS.
func (o options) wrong(rest []string) string {
	switch {
	case len(rest) != 0:
		return fmt.Sprintf("%q is no flag; write -NAME=VALUE", rest[0])
	case o.cluster == "" && o.check:
		return "-cluster is missing: -check judges AWS's tokens"
	case o.cluster == "" && o.sts != "":
		return "-cluster is missing: -sts is asked about its tokens"
	case o.cluster == "" && o.tokenInfo == "":
		return "-cluster is missing, or -tokeninfo: without either there is no token to judge"
	case o.cluster != "" && o.sts == "":
		return "-sts is missing: the host:port that plays STS for -cluster"
	case o.cluster != "" && o.region == "":
		return fmt.Sprintf("-region is missing: without it no name of STS is known that cluster %q may be told of", o.cluster)
	case o.caPEM == "":
		return "-ca is missing: the PEM file of whom to trust"
	case o.check && o.mapping != "":
		return "-mapping is too much: -check maps nobody"
	case !o.check && o.mapping == "":
		return "-mapping is missing: who is who in the cluster; or -check, to judge tokens on standard input"
	case !slices.Contains(partitions, o.partition):
		return fmt.Sprintf("-partition %s: AWS has no such partition; it has %s", o.partition, strings.Join(partitions, ", "))
	}
	return ""
}

func run(arguments []string, in io.Reader, out io.Writer) error {
	o, err := parse(arguments)
	if err != nil {
		return err
	}
	trust, err := readPool(o.caPEM)
	if err != nil {
		return err
	}
	w := &webhook{}
	if o.cluster != "" {
		if http.DefaultTransport, err = newTransport(o.sts, trust); err != nil {
			return err
		}
		w.aws.verifier = token.NewVerifier(o.cluster, o.partition, o.region)
	}
	if o.check {
		return check(w.aws.verifier, in, out)
	}
	if w.aws.entries, err = newEntries(o.mapping, trust); err != nil {
		return err
	}
	if w.google, err = newGoogle(o.tokenInfo, trust, w.aws.entries); err != nil {
		return err
	}
	if o.logReasons {
		w.log = newLog(out)
	}
	return serve(o, w, out)
}

func serve(o options, handler http.Handler, out io.Writer) error {
	if err := onLoopback(o.listen); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	identity, caPEM, err := newIdentity()
	if err != nil {
		return err
	}
	address := "https://" + listener.Addr().String() + "/authenticate"
	if o.kubeconfig != "" {
		if err := writeKubeconfig(o.kubeconfig, address, caPEM); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "serving", address)
	mux := http.NewServeMux()
	mux.Handle("POST /authenticate", handler)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, TLSConfig: identity}
	return server.ServeTLS(listener, "", "")
}

// codeOf says what the program exits with.
func codeOf(err error) int {
	var wrong misuse
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &wrong):
		return 2
	default:
		return 1
	}
}

func main() {
	err := run(os.Args[1:], os.Stdin, os.Stdout)
	code := codeOf(err)
	if code != 0 {
		fmt.Fprintln(os.Stderr, "verifier:", err)
	}
	os.Exit(code)
}
