// Command check lets kind itself read a cluster configuration, without Docker: kind's own package decodes, defaults
// and validates it, plans the containers and renders the kubeadm configuration of each node.
//
//	go run . ../cluster.yaml        prints the kubeadm configurations; exits 1 with kind's words when it refuses
//
// kind calls a program named docker. The check puts itself in that place: it notes which nodes kind runs and what it
// writes into them, and ends the play at `kubeadm init`.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"sigs.k8s.io/kind/pkg/cluster"
)

// nodesFolder is where the docker of this play keeps one file for each node.
const nodesFolder = "CHECK_NODES"

var errEnd = errors.New("kubeadm does not run here")

func main() {
	play := check
	if filepath.Base(os.Args[0]) == "docker" {
		play = docker
	}
	if err := play(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// check lets kind create the cluster, up to the point where kubeadm would run.
func check(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: check CLUSTER.yaml")
	}
	configuration, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	folder, err := stage()
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	provider := cluster.NewProvider(cluster.ProviderWithDocker())
	err = provider.Create("", cluster.CreateWithRawConfig(configuration), cluster.CreateWithRetain(true),
		cluster.CreateWithKubeconfigPath(filepath.Join(folder, "kubeconfig")))
	if err == nil || !strings.Contains(err.Error(), "kubeadm init") {
		return fmt.Errorf("kind refuses %s: %w", args[0], err)
	}
	return show(folder)
}

// stage makes a folder with this program as docker, the only program that kind will find.
func stage() (string, error) {
	folder, err := os.MkdirTemp("", "kind-check-")
	if err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return folder, err
	}
	if err := os.Symlink(self, filepath.Join(folder, "docker")); err != nil {
		return folder, err
	}
	for _, proxy := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} { // kind would ask for docker's networks
		os.Unsetenv(proxy)
		os.Unsetenv(strings.ToLower(proxy))
	}
	os.Setenv("PATH", folder)
	os.Setenv(nodesFolder, filepath.Join(folder, "nodes"))
	return folder, os.Mkdir(os.Getenv(nodesFolder), 0o700)
}

// show prints what kind wrote into each node.
func show(folder string) error {
	files, err := os.ReadDir(filepath.Join(folder, "nodes"))
	if err != nil {
		return err
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Name() < files[j].Name() })
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(folder, "nodes", file.Name()))
		if err != nil {
			return err
		}
		fmt.Printf("# node: %s\n---\n%s\n", file.Name(), text)
	}
	return nil
}

// docker answers what kind asks docker.
func docker(args []string) error {
	nodes := os.Getenv(nodesFolder)
	asked := strings.Join(args, " ")
	switch {
	case args[0] == "info":
		fmt.Println(`{"CgroupDriver": "systemd", "CgroupVersion": "2"}`)
	case args[0] == "run":
		return os.WriteFile(filepath.Join(nodes, args[slices.Index(args, "--name")+1]), nil, 0o600)
	case args[0] == "logs":
		fmt.Println("Reached target Multi-User System.")
	case args[0] == "ps":
		made, err := os.ReadDir(nodes)
		for _, node := range made {
			fmt.Println(node.Name())
		}
		return err
	case strings.Contains(asked, "IPAddress"):
		fmt.Println("172.18.0.2,")
	case args[0] == "inspect" && strings.Contains(asked, ".role"):
		fmt.Println(map[bool]string{true: "control-plane", false: "worker"}[strings.HasSuffix(asked, "control-plane")])
	case strings.HasSuffix(asked, "cat /kind/version"):
		fmt.Println("v1.35.0")
	case strings.HasSuffix(asked, "cp /dev/stdin /kind/kubeadm.conf"):
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(nodes, args[slices.Index(args, "cp")-1]), text, 0o600)
	case strings.Contains(asked, "kubeadm init"):
		return errEnd
	}
	return nil
}
