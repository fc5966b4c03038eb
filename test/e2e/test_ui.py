# SPDX-License-Identifier: Apache-2.0
"""The UI's own browser tests (ui/e2e), against the real server instead of the mock they run with
elsewhere: both must show the same."""
import os
import subprocess

from weft_process import ROOT, WeftTest


class UiTest(WeftTest):
    def test_the_browser_tests_of_the_ui_hold_on_the_real_server(self):
        ui = ROOT / "ui"
        if not (ui / "node_modules" / "playwright-core").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=ui, check=True)
        for path in sorted((ui / "e2e").glob("*.test.mjs")):
            weft = self.weft()
            with self.subTest(file=path.name):
                done = subprocess.run(
                    ["node", "--test", "--test-reporter=tap", str(path)], cwd=ui, text=True,
                    capture_output=True, timeout=300, check=False,
                    env={**os.environ, "WEFT_UI_URL": weft.url, "WEFT_OTLP_URL": weft.http})
                failed = [part for part in done.stdout.split("# Subtest: ") if "not ok" in part]
                self.assertEqual(done.returncode, 0, "\n".join(failed)[:6000] + done.stderr[-2000:])
            weft.close()
