# Two commands do all the set-up that they need: `make demo` and `make test`.

DEMO := .venv/demo
TEST := .venv/test

.PHONY: help demo test format clean

help:
	@echo "make demo    install the runtime, without torch, and take the logo out of a real clip (demo-output/)"
	@echo "make test    install what the checks need and run them all"
	@echo "make format  format the sources and mend what can be mended without thought"
	@echo "make clean   remove the environments and everything that was built"

demo:
	@scripts/environment $(DEMO) cpu
	@$(DEMO)/bin/ptfan demo

test:
	@scripts/environment $(TEST) cpu,export,train,dev requirements/test.txt
	@scripts/check

format:
	@scripts/environment $(TEST) cpu,export,train,dev requirements/test.txt
	@$(TEST)/bin/ruff check --fix-only --quiet .
	@$(TEST)/bin/ruff format .

clean:
	rm -rf .venv build dist *.egg-info demo-output .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
