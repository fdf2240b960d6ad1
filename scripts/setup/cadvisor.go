// A stand-alone cadvisor for tests: the manager that is in the kubelet, behind /metrics and /healthz. Flags as of a release.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/google/cadvisor/cache/memory"
	"github.com/google/cadvisor/container"
	v2 "github.com/google/cadvisor/info/v2"
	"github.com/google/cadvisor/manager"
	"github.com/google/cadvisor/metrics"
	"github.com/google/cadvisor/utils/sysfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/utils/clock"
)

var (
	version  = flag.Bool("version", false, "say the version of the packages and exit")
	listenIP = flag.String("listen_ip", "", "IP to listen on, empty for all")
	port     = flag.Int("port", 8080, "port to listen on")
	prefixes = flag.String("raw_cgroup_prefix_whitelist", "", "the cgroups to look at, with what is below them; comma-separated")
	slowest  = flag.Duration("max_housekeeping_interval", time.Minute, "the longest time between two looks at a container")
)

func main() {
	flag.Parse()
	if *version {
		fmt.Println("cadvisor as in Kubernetes")
		return
	}
	included := container.MetricSet{
		container.CpuUsageMetrics: struct{}{}, container.MemoryUsageMetrics: struct{}{}, container.DiskIOMetrics: struct{}{},
		container.NetworkUsageMetrics: struct{}{}, container.DiskUsageMetrics: struct{}{}, container.ProcessMetrics: struct{}{},
	}
	dynamic := true
	m, err := manager.New(memory.New(2*time.Minute, nil), sysfs.NewRealSysFs(),
		manager.HouskeepingConfig{Interval: slowest, AllowDynamic: &dynamic}, included, http.DefaultClient, strings.Split(*prefixes, ","), "")
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Start(); err != nil {
		log.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	options := v2.RequestOptions{IdType: v2.TypeName, Count: 1, Recursive: true}
	registry.MustRegister(metrics.NewPrometheusCollector(m, metrics.DefaultContainerLabels, included, clock.RealClock{}, options))
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok")) })
	log.Fatal(http.ListenAndServe(fmt.Sprintf("%s:%d", *listenIP, *port), nil))
}
