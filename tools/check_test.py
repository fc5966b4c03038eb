# SPDX-License-Identifier: Apache-2.0
"""Every rule of tools/check, shown a small tree that keeps it and one that breaks it."""
import importlib.machinery
import importlib.util
import pathlib
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
loader = importlib.machinery.SourceFileLoader("check", str(HERE / "check"))
check = importlib.util.module_from_spec(importlib.util.spec_from_loader("check", loader))
loader.exec_module(check)

HEADER = """// SPDX-License-Identifier: Apache-2.0
//
// A thing.
// Made by nobody.
// Thread rule: none.
#pragma once
"""
SOURCE = "// SPDX-License-Identifier: Apache-2.0\n"
GOOD = {
    "ARCHITECTURE.md": "# Rooms\n| room | what |\n|---|---|\n| `base` | a |\n| `wire` | b |\n",
    "src/base/CMakeLists.txt": "weft_room(NAME base SRCS thing.cc TESTS thing_test.cc TEST_DEPS testing)\n",
    "src/base/thing.h": HEADER,
    "src/base/thing.cc": SOURCE + '#include "base/thing.h"\n',
    "src/base/thing_test.cc": SOURCE + '#include "base/thing.h"\n',
    "src/wire/CMakeLists.txt": "weft_room(NAME wire SRCS bytes.cc DEPS base)\n",
    "src/wire/bytes.cc": SOURCE + '#include <vector>\n#include "base/thing.h"\n',
}


class CheckTest(unittest.TestCase):
    def findings(self, changes):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**GOOD, **changes}.items():
                if text is None:
                    continue
                file = pathlib.Path(root) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            return check.check(root).findings

    def expect(self, changes, *words):
        found = self.findings(changes)
        self.assertTrue(any(all(word in f for word in words) for f in found), found)

    def test_a_good_tree_has_no_findings(self):
        self.assertEqual(self.findings({}), [])

    def test_the_relation_is_transitive_and_as_designed(self):
        below = check.below()
        self.assertLessEqual({"base", "wire", "model", "codec", "trace", "column", "block"},
                             below["store"])
        self.assertNotIn("net", below["store"])
        self.assertNotIn("net", below["query"])
        self.assertNotIn("traceql", below["store"])
        self.assertNotIn("store", below["receiver"])
        self.assertEqual(below["server"], set(below) - {"server"})

    def test_a_circle_is_an_error(self):
        layers = check.LAYERS
        check.LAYERS = layers + "query < base\n"
        self.addCleanup(setattr, check, "LAYERS", layers)
        with self.assertRaisesRegex(ValueError, "circle"):
            check.below()

    def test_upward_include(self):
        self.expect({"src/base/thing.cc": SOURCE + '#include "wire/bytes.h"\n'},
                    "src/base/thing.cc:2", "base must not see wire")

    def test_sideways_include(self):
        self.expect({"src/wire/bytes.cc": SOURCE + '#include "model/ids.h"\n'}, "wire must not see model")

    def test_production_code_must_not_see_testing(self):
        self.expect({"src/base/thing.cc": SOURCE + '#include "testing/clock.h"\n'},
                    "base must not see testing")

    def test_a_test_may_see_testing_and_its_declared_rooms(self):
        self.assertEqual(
            self.findings({"src/base/thing_test.cc": SOURCE + '#include "testing/clock.h"\n'}), [])
        self.expect({"src/base/thing_test.cc": SOURCE + '#include "wire/bytes.h"\n'}, "must not see wire")

    def test_relative_include(self):
        self.expect({"src/base/thing.cc": SOURCE + '#include "thing.h"\n'}, "includes start at src/")

    def test_upward_dependency_in_cmake(self):
        self.expect({"src/base/CMakeLists.txt": "weft_room(NAME base SRCS thing.cc thing_test.cc DEPS wire)\n"},
                    "base must not depend on wire")

    def test_the_ground_room_stands_on_the_library_alone(self):
        room = {"src/wire_core/thing2.h": HEADER + "#include <boost/asio.hpp>\n",
                "src/wire_core/CMakeLists.txt": "weft_room(NAME wire_core)\n"}
        self.expect(room, "src/wire_core/thing2.h", "stands on the C++ library alone")
        self.expect(room, "src/wire_core/thing2.h", "every_header_test.cc does not include it")

    def test_unknown_room(self):
        self.expect({"src/attic/CMakeLists.txt": ""}, "src/attic", "LAYERS")

    def test_prologue(self):
        self.expect({"src/base/thing.h": SOURCE + "//\n// Short.\n#pragma once\n"}, "a prologue of 1 lines")
        self.expect({"src/base/thing.h": HEADER.replace("// A thing.", "// A thing." + "\n// More." * 15)},
                    "a prologue of 18 lines")
        self.expect({"src/base/thing.h": HEADER.replace("#pragma once\n", "")}, "#pragma once")
        self.expect({"src/base/thing.cc": "int x;\n"}, "SPDX")

    def test_file_without_target_and_target_without_file(self):
        self.expect({"src/base/lost.cc": SOURCE}, "src/base/lost.cc", "no target")
        self.expect({"src/wire/bytes.cc": None}, "names bytes.cc")

    def test_names(self):
        self.expect({"src/wire/thing.h": HEADER}, "a second thing.h")
        self.expect({"src/base/string_util.h": HEADER}, "after its main type")
        self.expect({"src/base/deep/x.h": HEADER}, "one level")

    def test_banned_code(self):
        for code in ("class SpanManager {};", "  throw 1;", "std::regex r;", "assert(x);",
                     "using namespace std;", "std::cout << std::endl;", "int x = rand();"):
            with self.subTest(code):
                self.expect({"src/base/thing.cc": SOURCE + code + "\n"}, "src/base/thing.cc:2", "banned")
        self.expect({"src/wire/bytes.cc": SOURCE + "std::ifstream f;\n"}, "base/env.h")
        self.assertEqual(self.findings({"src/base/thing.cc": SOURCE + "// We never throw.\n"}), [])

    def test_banned_text(self):
        self.expect({"src/base/thing.cc": SOURCE + "// TO" + "DO: later\n"}, "an issue")
        self.expect({"docs/x.md": "see /ho" + "me/me/notes\n"}, "one machine")

    def test_lengths(self):
        self.expect({"src/base/thing.cc": SOURCE + "int a;\n" * 1000}, "1001 lines")
        long = SOURCE + "void Long() {\n" + "  a();\n" * 70 + "}\n"
        self.expect({"src/base/thing.cc": long}, "Long has 72 lines")
        ratchet = "src/base/thing.cc Long 72\n"
        self.assertEqual(self.findings({"src/base/thing.cc": long, "tools/long_functions.txt": ratchet}), [])
        self.expect({"tools/long_functions.txt": ratchet}, "take its line out")

    def test_the_length_of_a_function_does_not_count_its_neighbours(self):
        code = "namespace weft {\nnamespace {\nconstexpr int kX = 1;\nvoid A() {\n" + "  a();\n" * 60 + \
            "}\n\nstruct B {\n" + "  int b;\n" * 60 + "};\n\nvoid C(int a,\n       int b) {\n" + \
            "  c();\n" * 60 + "}\n}  // namespace\n}  // namespace weft\n"
        self.assertEqual(self.findings({"src/base/thing.cc": SOURCE + code}), [])

    def test_docs(self):
        self.expect({"ARCHITECTURE.md": "| `base` | a |\n"}, "no row for src/wire")
        self.expect({"ARCHITECTURE.md": GOOD["ARCHITECTURE.md"] + "| `attic/` | x |\n"}, "no src/attic")
        self.expect({"ARCHITECTURE.md": GOOD["ARCHITECTURE.md"] + "| `base` | x | `base/gone.h` |\n"},
                    "src/base/gone.h does not exist")
        self.expect({"ARCHITECTURE.md": GOOD["ARCHITECTURE.md"] + "line\n" * 150}, "at most 150")
        self.expect({"docs/x.md": "look at src/base/thing.cc:12\n"}, "line number")
        self.expect({"docs/x.md": "[here](nowhere.md)\n"}, "leads nowhere")

    def test_paths_in_documents_and_comments_exist(self):
        here = {"src/base/thing.cc": SOURCE + "// As base/thing.h says, and src/wire/bytes.cc.\n",
                "docs/x.md": "`src/base/thing.h`, `base/thing.h`, `docs/x.md`; input/output, text/plain\n"}
        self.assertEqual(self.findings(here), [])
        for text in ("// Next: base/plan.h.\n", "int x;  // docs/promises say why\n",
                     "// (docs/promises in README)\n", " * as base/plan.h\n"):
            self.expect({"src/base/thing.cc": SOURCE + text}, "src/base/thing.cc:2", "does not exist")
        for text in ("see `base/plan.h`", "in docs/promises", "`test/e2e/gone.py`, for one"):
            self.expect({"docs/x.md": text + "\n"}, "docs/x.md:1", "does not exist")
        self.expect({"tools/run.sh": "#!/bin/sh\n# " + SOURCE[3:] + "# calls tools/gone.py\n"}, "tools/gone.py")
        # A text of the program, a placeholder, what a build makes.
        self.assertEqual(self.findings({
            "src/base/thing.cc": SOURCE + 'auto path = "base/plan.h";\n// test/fuzz/NAME, ui/dist\n'}), [])

    def test_the_layers_name_rooms_that_exist(self):
        self.expect({"tools/check": "LAYERS\n"}, "LAYERS names store", "no src/store")

    def test_texts_on_standard_error_are_cleaned(self):
        code = SOURCE + 'void F() { fmt::print(stderr, "x"); }\n'
        room = {"src/cli/CMakeLists.txt": "weft_room(NAME cli SRCS a.cc terminal.cc)\n",
                "ARCHITECTURE.md": GOOD["ARCHITECTURE.md"] + "| `cli` | c |\n"}
        self.expect({**room, "src/cli/a.cc": code, "src/cli/terminal.cc": SOURCE}, "src/cli/a.cc:2", "PrintError")
        self.assertEqual(self.findings({**room, "src/cli/a.cc": SOURCE, "src/cli/terminal.cc": code}), [])

    def test_dashboards_and_alerts_name_what_exists(self):
        table = "| metric | type |\n|---|---|\n| `weft_a_total` | counter |\n| `weft_b_seconds` | histogram |\n"
        good = {"docs/metrics.md": table, "docs/operations.md": "### WeftBad\n",
                "docs/grafana/d.json": '"rate(weft_a_total[5m]) + weft_b_seconds_bucket"',
                "docs/grafana/a.yml": "- alert: WeftBad\n"}
        self.assertEqual(self.findings(good), [])
        self.expect({**good, "docs/grafana/d.json": '"weft_c_total"'}, "weft_c_total", "docs/metrics.md")
        self.expect({**good, "docs/grafana/d.json": '"weft_a_total_bucket"'}, "weft_a_total_bucket")
        self.expect({**good, "docs/grafana/a.yml": "- alert: WeftNew\n"}, "WeftNew", "operations.md")


if __name__ == "__main__":
    unittest.main()
