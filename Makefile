# The verbs of this project.  They need Python 3.11 or later with its venv module, and make.

PYTHON ?= python3
BIN := .venv/bin
UNIT := $(filter-out tests/__init__.py tests/service tests/live tests/judges tests/fuzz,$(wildcard tests/[a-z]*))

# what the tests of connectors run against
SERVERS := slapd ldap-utils samba samba-ad-provision samba-dsdb-modules samba-vfs-modules \
	python3-samba winbind tinyproxy-bin haproxy nginx-light openssl

.PHONY: run check test soak servers bench docs dist changelog clean

# the gateway in the foreground, with a copy of etc/ that is yours to change
run: .venv/installed var/etc
	$(BIN)/twistd -n --pidfile= scimgw -c var/etc

# what takes seconds: style, types, unit tests
check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/trial --temp-directory=var/trial $(UNIT)

# everything: the same with real processes and servers, and the floor of coverage
test: .venv/ready servers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	rm -f var/skipped
	$(BIN)/coverage erase
	$(BIN)/coverage run -m twisted.trial --temp-directory=var/trial tests
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --include='scimgw/scim/*' --fail-under=100
	@if test -e var/skipped; then echo 'skipped, so no floor for the rest:'; cat var/skipped; fi
	$(BIN)/coverage report --omit='scimgw/scim/*' --fail-under=$$(test -e var/skipped && echo 0 || echo 95)

# what takes long: each target fuzzed for SECONDS, what reaches new code kept
SECONDS ?= 600
soak: .venv/ready
	for target in filter path json patch request; do \
		$(BIN)/python -m tests.fuzz.run $$target -max_total_time=$(SECONDS) -timeout=10 \
			-artifact_prefix=var/ tests/fuzz/corpus/$$target || exit 1; \
	done

# Debian's servers, and npm's token server, where they are missing and can be installed
servers:
	@sh tests/live/install.sh $(SERVERS)
	@test -d var/npm/node_modules/oauth2-mock-server || ! command -v npm >/dev/null || \
		npm install --silent --no-audit --no-fund --prefix var/npm oauth2-mock-server@8

# the gateway against bare servers and clients, some minutes; BENCH holds options of benchmarks/run.py
bench: .venv/ready
	command -v wrk >/dev/null || { test "$$(id -u)" = 0 && apt-get update && apt-get install -y --no-install-recommends wrk; }
	@sh tests/live/install.sh slapd
	$(BIN)/python -m benchmarks.run $(BENCH)

# what is made out of the code
docs: .venv/ready
	$(BIN)/python -m scimgw.config.document > docs/configuration.md.new
	mv docs/configuration.md.new docs/configuration.md
	$(BIN)/python -m tests.rfc.document docs/scim-support.md

# the wheel and an editable install, each in a clean environment, and whether twistd finds the command
dist: .venv/ready
	rm -rf build dist var/dist
	$(BIN)/python -m build --wheel
	for kind in wheel editable; do \
		$(PYTHON) -m venv var/dist/$$kind && \
		var/dist/$$kind/bin/pip install -q $$(test $$kind = wheel && ls dist/*.whl || echo -e .) && \
		(cd var/dist && $$kind/bin/twistd --help | grep -w scimgw) || exit 1; \
	done

# the fragments of changelog.d become a section of CHANGELOG.md
changelog: .venv/ready
	$(BIN)/towncrier build --yes

clean:
	rm -rf .venv build dist var *.egg-info .coverage* .mypy_cache .ruff_cache .hypothesis

.venv/installed: setup.py
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e .
	touch $@

.venv/ready: setup.py
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[develop]'
	touch $@

var/etc:
	mkdir -p var
	cp -r etc $@
