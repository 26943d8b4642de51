# The one interface to build, test and package. `make help` lists what there is.
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VERSION := $(shell sed -n '/^\[workspace.package\]/,/^\[/s/^version *= *"\(.*\)"/\1/p' Cargo.toml)
# The machine that build, install, deb and rpm are for: x86_64 or aarch64.
MACHINE ?= $(shell uname -m)
CARGO_TARGET_DIR ?= target
# Not abspath: the path may have a blank.
override CARGO_TARGET_DIR := $(if $(filter /%,$(firstword $(CARGO_TARGET_DIR))),,$(CURDIR)/)$(CARGO_TARGET_DIR)
export CARGO_TARGET_DIR
export COMMAND
TRIPLE := $(MACHINE)-unknown-linux-musl
# How static binaries are built: as they are shipped, or soon and together with the lab's own programs (lab).
PROFILE := release
LAB := $(CARGO_TARGET_DIR)/$(TRIPLE)/lab
DEBUG := $(CARGO_TARGET_DIR)/debug
TOOLCHAIN := packaging/toolchain
CARGO := $(TOOLCHAIN)/cargo.sh

# What the workspace has. A new agent or suite needs no change here.
MEMBERS := $(patsubst %/Cargo.toml,%,$(wildcard $(addsuffix /Cargo.toml,\
	$(shell sed -n '/^members/,/\]/p' Cargo.toml | grep -o '"[^"]*"' | tr -d '"'))))
AGENTS := $(notdir $(filter agents/%,$(MEMBERS)))
# The binaries that an agent's package has besides the agent itself, and Pacemaker's alert agent.
HELPERS := $(basename $(notdir $(wildcard $(patsubst %,agents/%/src/bin/*.rs,$(AGENTS)) crates/alerts/src/bin/*.rs)))
COMMANDS := $(notdir $(filter crates/kaiwudb-ha,$(MEMBERS)))
TESTS := $(notdir $(filter tests/%,$(MEMBERS)))

package = $(shell sed -n '/^name *=/{s/.*"\(.*\)".*/\1/p;q}' $1/Cargo.toml)
packages = $(foreach directory,$1,-p $(call package,$(directory)))
AGENT_PACKAGES := $(call packages,$(addprefix agents/,$(AGENTS)))
COMMAND_PACKAGES := $(call packages,$(addprefix crates/,$(COMMANDS) $(notdir $(filter crates/alerts,$(MEMBERS)))))

# What does not fit into the time that one waits for `make test`.
LONGER := certificates operator handbook monitoring runtimes
SUITES := check unit toolchain-test administration-test $(addsuffix -test,$(filter-out bench campaign drbd $(LONGER),$(TESTS)))

.PHONY: help
help: ## this list
	@awk -F ':.*## ' -v absent=' $(filter-out $(TESTS),bench campaign) ' '/^[a-z][a-z-]*:.*## / && !index(absent, " " $$1 " ") \
		{ printf "  %-15s %s\n", $$1, $$2 }' Makefile
	@printf '  %-15s %s\n' NAME-test 'one suite of tests/: $(TESTS)'
	@echo 'Variables: MACHINE=x86_64|aarch64 (build, install, deb, rpm), DESTDIR, CARGO_TARGET_DIR, STATIC_BUILD_STD=1'

# --- for everybody -----------------------------------------------------------

.PHONY: demo test lab-up lab-status lab-exec lab-shell lab-down
demo: ## shows a failover on two real nodes on this machine (root)
	@$(TOOLCHAIN)/need-root.sh demo 'it starts two cluster nodes as containers'
	@packaging/prepare-lab.sh '$(CARGO_TARGET_DIR)/phases'
	@packaging/demo.sh '$(LAB)/demo' '$(CARGO_TARGET_DIR)/demo.html'

.PHONY: demo-drbd
demo-drbd: lab-ready vm-image ## the same on real DRBD, in two virtual machines (root, minutes)
	@'$(LAB)/demo_drbd' '$(CARGO_TARGET_DIR)/demo-drbd.html'

# For people: two nodes that stay. NODE is where commands run.
NODE := node1

lab-up:
	@$(TOOLCHAIN)/need-root.sh lab-up 'it starts two cluster nodes as containers'
	@[ -x '$(LAB)/lab' ] && '$(LAB)/lab' status >/dev/null 2>&1 || \
		{ packaging/prepare-lab.sh '$(CARGO_TARGET_DIR)/phases' && '$(LAB)/lab' up --ocf; }

lab-status: lab-up ## two nodes as in the demo, which stay: starts them, and shows what runs where (root)
	@'$(LAB)/lab' status

lab-exec: lab-up ## runs COMMAND on one of them, NODE=node1 or node2 (root)
	@'$(LAB)/lab' exec $(NODE) -- sh -c "$$COMMAND"

lab-shell: lab-up ## opens a shell on NODE (root)
	@'$(LAB)/lab' shell $(NODE)

lab-down: ## removes them (root)
	@'$(LAB)/lab' down

test: ## everything that decides whether a change is good: check, unit and every suite of tests/ (root)
	@$(TOOLCHAIN)/need-root.sh test 'the cluster suite starts two nodes as containers; "make check unit" does without'
	@packaging/run-suites.sh '$(CARGO_TARGET_DIR)/suites' $(SUITES)

.PHONY: test-longer
test-longer: ## the suites that take too long for "make test" (root)
	@$(TOOLCHAIN)/need-root.sh test-longer 'its suites start two nodes as containers'
	@packaging/run-suites.sh '$(CARGO_TARGET_DIR)/suites' $(addsuffix -test,$(LONGER))

# --- checks and tests --------------------------------------------------------

.PHONY: check fmt fmt-check lint metadata-check scripts-check unit
check: fmt-check lint dependencies-check metadata-check scripts-check ## format, clippy, dependencies, shellcheck, and that ocf-metadata/ is what the agents print
	@skipped=$$($(HAS_RUSTFMT) && echo 0 || echo 1); \
		echo "check: $$(($(words $^) - skipped)) passed, 0 failed, $$skipped skipped"

fmt: ## formats the source
	$(CARGO) fmt --all

# A toolchain of rustup need not have it.
HAS_RUSTFMT := $(CARGO) fmt --version >/dev/null 2>&1

fmt-check:
	@if $(HAS_RUSTFMT); then $(CARGO) fmt --all --check; \
		else echo 'test fmt-check ... ignored (rustfmt is not installed)'; fi

lint: ## clippy, where every warning is an error
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

.PHONY: dependencies-check
dependencies-check: ## licences, sources, duplicates and known faults of what is linked
	$(CARGO) test --locked -p layout --test dependencies
	@$(TOOLCHAIN)/deny.sh

metadata-check: agents
	@packaging/metadata.sh '$(DEBUG)' '$(CARGO_TARGET_DIR)/ocf-metadata' $(AGENTS)
	@diff -ruN ocf-metadata '$(CARGO_TARGET_DIR)/ocf-metadata' || \
		{ echo 'ocf-metadata/ is not what the agents print: run "make metadata" and commit the change' >&2; exit 1; }

scripts-check:
	@$(TOOLCHAIN)/need.sh shellcheck
	shellcheck -x $(wildcard packaging/*.sh packaging/*/*.sh .ci/run) tests/lab/files/image.sh

unit: ## unit tests of crates/ and agents/; without root some are skipped
	@$(TOOLCHAIN)/need.sh bash drbd-utils python3 python3-yaml systemd
	$(CARGO) test --locked --no-fail-fast $(call packages,$(filter crates/% agents/%,$(MEMBERS)))

# The suite of that name goes less far.
.PHONY: model
model: ## the exhaustive model of cluster, DRBD and people, with seven faults and mistakes in any order (minutes)
	MODEL_FAULTS=$${MODEL_FAULTS:-7} $(CARGO) test --locked -p model -- --nocapture

.PHONY: simulation
simulation-test simulation: $(if $(LAB_IS_READY),,lab-image)
simulation: ## 1,050 sequences of failures on planned configurations, by Pacemaker's own scheduler; SUITE=trixie for another one (minutes)
	SIMULATION_SEQUENCES=$${SIMULATION_SEQUENCES:-150} $(CARGO) test --locked -p simulation -- --nocapture

.PHONY: fuzz
fuzz: ## libFuzzer on everything that reads what others have written; FUZZ_SECONDS=600 for each, FUZZ=events2 for one (a nightly compiler)
	@packaging/fuzz.sh '$(CARGO_TARGET_DIR)/fuzz' '$(or $(FUZZ_SECONDS),60)' $(FUZZ)

.PHONY: toolchain-test
toolchain-test:
	@$(TOOLCHAIN)/need.sh iproute2 mount util-linux
	@$(TOOLCHAIN)/test.sh

.PHONY: administration-test handbook-test monitoring-test $(addsuffix -test,$(TESTS))
$(addsuffix -test,$(TESTS)): %-test:
	$(CARGO) test --locked --no-fail-fast -p $(call package,tests/$*) $(TARGETS_$*)

# Those of its tests that other suites may run beside are a suite of their own.
TARGETS_cluster := --test database --test tls
administration-test: lab-ready
	$(CARGO) test --locked --no-fail-fast -p cluster --test administration

# Metrics, readiness, alerts and what is said of incidents are a suite of their own for the time they take.
TARGETS_operator := --test command --test deploy --test fixes --test neighbour
monitoring-test: lab-ready
	$(CARGO) test --locked --no-fail-fast -p operator --test monitoring --test alerts --test support --test why

# The handbook's commands, in both languages.
handbook-test: lab-ready
	$(CARGO) test --locked --no-fail-fast -p operator --test handbook

.PHONY: monitoring-picture
monitoring-picture: lab-ready ## what a real Prometheus shows of faults in the lab, as pictures (root, 10 minutes)
	@$(TOOLCHAIN)/need.sh prometheus chromium
	$(CARGO) run --locked -p operator --bin picture -- '$(CARGO_TARGET_DIR)/picture'

# The suites need programs; those that start nodes need the whole lab.
administration-test handbook-test monitoring-test $(addsuffix -test,$(TESTS)): test-packages
$(addsuffix -test,$(filter certificates cluster drbd lab operator runtimes,$(TESTS))): lab-ready

# Its tests wait for events most of the time.
contract-test: export RUST_TEST_THREADS := $(shell echo $$((2 * $$(nproc))))

# With the lab they are there already; by itself the suite builds its own.
ifdef LAB_IS_READY
contract-test: export KAIWUDB_HA_AGENTS := $(LAB)
endif

drbd-test: vm-image nfs-client

.PHONY: nfs-client
nfs-client:
	@$(TOOLCHAIN)/need.sh libnfs13 python3

# Debian releases with different Pacemaker, pcs and crmsh; and those that are not released, which not every mirror has.
RELEASES := bullseye bookworm trixie
UNRELEASED := forky sid

# Bare machines, see packaging/fresh/test.sh.
FRESH := bookworm-empty bookworm-old trixie-empty trixie-old

.PHONY: fresh-test
fresh-test: ## "make demo" and "make test" on new Debian machines, as containers; FRESH=bookworm-empty for one of them (root, an hour)
	@$(TOOLCHAIN)/need-root.sh fresh-test 'it starts containers'
	@$(TOOLCHAIN)/need.sh mmdebstrap debian-archive-keyring gpg util-linux mount git
	@packaging/fresh/test.sh '$(CARGO_TARGET_DIR)/fresh' $(FRESH)

.PHONY: matrix bench $(addprefix matrix-,$(RELEASES) $(UNRELEASED))
matrix: lab-ready ## contract and cluster tests on every supported Debian release, with the same binaries (root, 40 minutes)
	@$(TOOLCHAIN)/need-root.sh matrix 'it starts cluster nodes as containers'
	@unreleased=; for suite in $(UNRELEASED); do \
		if grep -q ' - cgroup2 ' /proc/self/mountinfo && '$(LAB)/lab' image --suite $$suite; then unreleased="$$unreleased matrix-$$suite"; \
		else echo "matrix: $$suite is not available here and is left out: the mirror must have it, and its systemd needs cgroup v2" >&2; fi; done; \
	packaging/run-suites.sh '$(CARGO_TARGET_DIR)/suites' $(addprefix matrix-,$(RELEASES)) $$unreleased

$(addprefix matrix-,$(RELEASES) $(UNRELEASED)): matrix-%: lab-ready
	SUITE=$* KAIWUDB_HA_AGENTS='$(LAB)' $(CARGO) test --locked --no-fail-fast -p contract -p cluster

bench: lab-ready ## measures outages against the numbers to beat; BEFORE=COMMIT: actions beside those of an earlier agent (root, minutes)
	@$(TOOLCHAIN)/need.sh strace
	$(if $(BEFORE),@packaging/before.sh '$(CARGO_TARGET_DIR)/before' '$(BEFORE)' $(MACHINE) >'$(CARGO_TARGET_DIR)/before.path')
	$(CARGO) run --locked -p bench$(if $(BEFORE), -- --before "$$(cat '$(CARGO_TARGET_DIR)/before.path')")

# N sequences of random faults, each of eight, from SEED on; none begins later than TIME minutes after the first.
.PHONY: campaign
campaign: lab-ready ## random faults on two nodes and audits after each: N=4 SEED=1 TIME=60 (root, three minutes a sequence)
	@$(TOOLCHAIN)/need-root.sh campaign 'it starts cluster nodes as containers'
	$(CARGO) run --locked -p campaign -- --logs '$(CARGO_TARGET_DIR)/campaign' $(if $(N),--count $(N)) $(if $(SEED),--seed $(SEED)) $(if $(TIME),--minutes $(TIME))

# --- a real server -----------------------------------------------------------

# The suites in which the server is the one of KWBASE_HOME.
REAL := contract-test lab-test administration-test cluster-test certificates-test operator-test runtimes-test crash-images

.PHONY: real-test crash-images
real-test: ## everything that runs on a real server, KWBASE_HOME=DIR with bin/kwbase and lib/, in one table (root, hours)
	@$(TOOLCHAIN)/need-root.sh real-test 'its suites start two nodes as containers'
	@[ -x "$$KWBASE_HOME/bin/kwbase" ] || \
		{ echo 'real-test: KWBASE_HOME must be a directory with bin/kwbase and lib/ of a real server' >&2; exit 2; }
	@export KAIWUDB_HA_KILLS=$${KAIWUDB_HA_KILLS:-200} SUITE_TIMEOUT=$${SUITE_TIMEOUT:-14400}; \
		packaging/run-suites.sh '$(CARGO_TARGET_DIR)/real' $(REAL) && status=0 || status=$$?; \
		sed -n '/^crash images/,/^test /{/^test /!p}' '$(CARGO_TARGET_DIR)/real/crash-images.log'; exit $$status

crash-images: test-packages ## disks as a crash leaves them, counted: KAIWUDB_HA_IMAGES=100 of each setting (root, two hours)
	KAIWUDB_HA_IMAGES=$${KAIWUDB_HA_IMAGES:-100} $(CARGO) test --locked -p contract --test contract -- --exact data_loss::crash_images --nocapture

# --- the lab -----------------------------------------------------------------

# What the lab installs on its nodes: a package that is built soon, or with SHIPPED=1 the one that is shipped.
DEB_NAME := kaiwudb-ha_$(VERSION)_$(if $(filter aarch64,$(MACHINE)),arm64,amd64).deb
export KAIWUDB_HA_DEB := $(CARGO_TARGET_DIR)/$(if $(SHIPPED),deb,lab-deb)/$(DEB_NAME)
# The server that the lab runs unless KWBASE_HOME names a real one.
export KAIWUDB_HA_STANDIN := $(LAB)/kwbase

.PHONY: image-packages lab-packages test-packages lab-programs lab-image lab-ready
image-packages:
	@$(TOOLCHAIN)/need.sh mmdebstrap debian-archive-keyring gpg

lab-packages:
	@$(TOOLCHAIN)/need.sh systemd-container iproute2 e2fsprogs util-linux mount procps psmisc kmod

test-packages: lab-packages
	@$(TOOLCHAIN)/need.sh postgresql openssl curl libxml2-utils prometheus strace

# One call for all programs: the standard library and what our crates share are compiled once.
lab-programs:
	@$(MAKE) deb PROFILE=lab
	$(if $(SHIPPED),@$(MAKE) deb)

lab-image: image-packages
	@tests/lab/files/image.sh bookworm

# run-suites.sh has prepared the lab once for all its suites.
lab-ready: $(if $(LAB_IS_READY),,lab-packages lab-image lab-programs)

.PHONY: vm-image
vm-image: lab-ready
	@$(TOOLCHAIN)/need.sh qemu-system-x86 qemu-utils
	'$(LAB)/lab' image --vm

# --- binaries ----------------------------------------------------------------

.PHONY: agents build metadata
agents:
	$(if $(AGENTS),$(CARGO) build --locked $(AGENT_PACKAGES))

build: ## the release binaries, static, for MACHINE
	$(TOOLCHAIN)/static-build.sh $(MACHINE) $(PROFILE) $(AGENT_PACKAGES) $(COMMAND_PACKAGES) \
		$(if $(filter lab,$(PROFILE)),-p kwbase-standin -p lab -p pages)

metadata: agents ## writes ocf-metadata/ from what the agents print
	@packaging/metadata.sh '$(DEBUG)' ocf-metadata $(AGENTS)

# --- packages ----------------------------------------------------------------

OCF := $(DESTDIR)/usr/lib/ocf/resource.d/kaiwudb
LIB := $(DESTDIR)/usr/lib/kaiwudb-ha
DOC := $(DESTDIR)/usr/share/doc/kaiwudb-ha
MAN := $(CARGO_TARGET_DIR)/man
# Completions of the command, laid out as below /usr/share.
PAGES := $(CARGO_TARGET_DIR)/pages
# Writes them: of what was built for the lab, or built now for this machine.
PAGES_PROGRAM := $(if $(filter lab,$(PROFILE)),'$(LAB)/pages',$(CARGO) run --quiet --locked -p pages --)

binaries = $(foreach name,$1,'$(CARGO_TARGET_DIR)/$(TRIPLE)/$(PROFILE)/$(name)')

.PHONY: man install deb rpm dist
man: $(if $(filter lab,$(PROFILE)),build) ## the manual pages: the agents' from ocf-metadata/, the command's and its completions from its options
	@packaging/man/build.sh '$(MAN)' $(VERSION)
	$(if $(COMMANDS),@rm -rf '$(PAGES)' && $(PAGES_PROGRAM) '$(PAGES)' && \
		cp -R '$(PAGES)/man/.' '$(MAN)' && rm -r '$(PAGES)/man')

install: build man ## installs for MACHINE below DESTDIR
	install -d '$(OCF)' '$(DOC)'
	install -m 0755 $(call binaries,$(AGENTS)) '$(OCF)'
	install -d -m 0700 '$(DESTDIR)/etc/kaiwudb-ha'
	$(if $(HELPERS),install -d '$(LIB)' && install -m 0755 $(call binaries,$(HELPERS)) '$(LIB)')
	$(if $(COMMANDS),install -d '$(DESTDIR)/usr/bin' && install -m 0755 $(call binaries,$(COMMANDS)) '$(DESTDIR)/usr/bin')
	install -m 0644 $(wildcard LICENSE README*.md CHANGELOG.md docs/*.md) '$(DOC)'
	packaging/handbook.sh docs/handbook '$(DOC)/handbook'
	$(if $(COMMANDS),cp -R '$(PAGES)/.' '$(DESTDIR)/usr/share')
	install -D -m 0644 -t '$(DESTDIR)/usr/lib/tmpfiles.d' packaging/tmpfiles/kaiwudb-ha.conf
	install -D -m 0644 packaging/crmsh/kaiwudb/main.yml '$(DESTDIR)/usr/share/crmsh/scripts/kaiwudb/main.yml'
	install -D -m 0644 -t '$(DESTDIR)/usr/lib/systemd/system' $(wildcard packaging/systemd/*)
	install -D -m 0644 -t '$(DESTDIR)/usr/share/kaiwudb-ha/prometheus' packaging/monitoring/kaiwudb-ha.rules.yml
	install -D -m 0644 -t '$(DESTDIR)/usr/share/kaiwudb-ha/grafana' packaging/monitoring/kaiwudb-ha.json
	install -D -m 0644 -t '$(DOC)/examples' packaging/ansible/kaiwudb-ha.yml
	man=$$(realpath -m '$(DESTDIR)/usr/share/man') && cd '$(MAN)' && find . -type f -exec install -D -m 0644 {} "$$man/{}" ';'

deb: ## Debian package for MACHINE
	packaging/deb/build.sh '$(CARGO_TARGET_DIR)/$(if $(filter lab,$(PROFILE)),lab-)deb' $(MACHINE) $(VERSION) $(PROFILE)

rpm: ## RPM package for MACHINE
	packaging/rpm/build.sh '$(CARGO_TARGET_DIR)/rpm' $(MACHINE) $(VERSION)

dist: ## the committed source with all its crates as one archive
	packaging/dist.sh '$(CARGO_TARGET_DIR)/dist' $(VERSION)

.PHONY: clean
clean: ## removes what was built
	$(CARGO) clean
