// Command chart renders a Helm chart with values, as `helm template` does, and as strictly: the values are held
// against the chart's own schema first. Prints the manifests; exits 1 with Helm's words when it refuses.
//
//	go run ./chart CHART_FOLDER VALUES.yaml RELEASE NAMESPACE
package main

import (
	"errors"
	"fmt"
	"os"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
)

// version is the Kubernetes that templates believe to be in.
const version = "v1.35.0"

func main() {
	manifests, err := render(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(manifests)
}

func render(args []string) (string, error) {
	if len(args) != 4 {
		return "", errors.New("usage: chart CHART_FOLDER VALUES.yaml RELEASE NAMESPACE")
	}
	chart, err := loader.Load(args[0])
	if err != nil {
		return "", err
	}
	values, err := chartutil.ReadValuesFile(args[1])
	if err != nil {
		return "", err
	}
	install := action.NewInstall(&action.Configuration{Log: func(string, ...any) {}})
	install.DryRun, install.ClientOnly = true, true
	install.ReleaseName, install.Namespace = args[2], args[3]
	if install.KubeVersion, err = chartutil.ParseKubeVersion(version); err != nil {
		return "", err
	}
	release, err := install.Run(chart, values)
	if err != nil {
		return "", err
	}
	text := release.Manifest
	for _, hook := range release.Hooks {
		text += "\n---\n" + hook.Manifest
	}
	return text, nil
}
