#!/usr/bin/env python3
"""verify_quote.py TACIT VECTORS: the command `tacit verify quote` on genuine and minted quotes: exit
codes, the JSON, policies, report data, event logs, forecasts. TAP."""
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile

TACIT = sys.argv[1]
TDX = pathlib.Path(sys.argv[2]) / "tdx"
count = 0


def check(ok, what, detail=""):
    global count
    count += 1
    print(f"{'ok' if ok else 'not ok'} {count} - {what}")
    if not ok:
        print(f"# {detail}"[:2000])
    return ok


def vector(name):
    for line in (TDX / "manifest.tsv").read_text().splitlines():
        cells = line.split("\t")
        if cells[0] == name:
            when = datetime.datetime.fromtimestamp(int(cells[4]), datetime.timezone.utc)
            return [str(TDX / cells[1]), "--collateral", str(TDX / cells[2]),
                    "--at", when.strftime("%Y-%m-%dT%H:%M:%SZ")], str(TDX / cells[3])
    raise SystemExit(f"no vector {name}")


def run(*args):
    done = subprocess.run([TACIT, "verify", "quote", *args], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def first_refusal(document):
    rows = [r["id"] for r in document["rows"] if r["required"] and r["result"] != "passed"]
    return rows[0] if rows else None


def main():
    if not (TDX / "manifest.tsv").exists():
        print(f"1..0 # SKIP no vectors in {TDX}")
        return 0
    good, _ = vector("real-b0c06f000000-v4-b6370194-tcb20260813")
    late, _ = vector("real-90c06f000000-v5-d21a11db-tcb20250226")
    minted, root = vector("syn-v4-uptodate")
    broken, _ = vector("flip-rtmr3-b0c06f000000-v4-b6370194-tcb20260813")

    code, out, err = run(*good)
    check(code == 0 and "tdx.quote.signature" in out and "UpToDate" in out, "a genuine quote is trusted: 0",
          out + err)
    code, out, err = run(*good, "--json")
    document = json.loads(out)
    check(code == 0 and document["verdict"] == "trusted" and document["tcb_status"] == "UpToDate" and
          not document["simulated"] and first_refusal(document) is None and
          document["quote"]["platform"]["fmspc"] == "b0c06f000000", "and its JSON says so", out)
    code, out, err = run(*broken, "--json")
    document = json.loads(out)
    check(code == 1 and document["verdict"] == "refused" and document["quote"] is None and
          document["tcb_status"] is None and first_refusal(document) == "tdx.quote.signature",
          "a flipped bit is refused by its row, and nothing of the quote is shown: 1", out)
    code, out, err = run(*good[:1], *good[3:])
    check(code == 2 and "collateral" in err, "without collateral nothing is judged: 2", out + err)
    code, out, err = run(str(TDX / "absent"), *good[1:], "--json")
    check(code == 2 and json.loads(out)["verdict"] == "error", "an unreadable file is an error: 2", out + err)
    code, out, err = run(*good, "--report-data", "00")
    check(code == 2 and "report-data" in err, "a short --report-data is wrong usage: 2", out + err)

    code, out, err = run(*minted, "--json")
    check(code == 1 and first_refusal(json.loads(out)) == "tdx.pck.root",
          "a minted quote is refused without its root", out + err)
    code, out, err = run(*minted, "--trust-root", root, "--json")
    document = json.loads(out)
    check(code == 0 and document["simulated"] and document["rows"][0]["authority"] == "SIMULATED root",
          "with its root it is trusted and called simulated", out + err)

    code, out, err = run(*late, "--json")
    check(code == 1 and first_refusal(json.loads(out)) == "tdx.policy.tcb_status",
          "the default policy refuses TDRelaunchAdvised", out + err)
    code, out, err = run(*late, "--policy", "none", "--json")
    document = json.loads(out)
    check(code == 0 and document["tcb_status"] == "TDRelaunchAdvised" and
          document["quote"]["current_tcb_status"] == "UpToDate", "without a policy it is genuine", out + err)
    with tempfile.TemporaryDirectory() as folder:
        policy = pathlib.Path(folder) / "policy.json"
        policy.write_text('{"tcb_status": ["UpToDate", "TDRelaunchAdvised"]}')
        code, out, err = run(*late, "--policy", str(policy))
        check(code == 0, "a policy file may accept it", out + err)
        policy.write_text('{"tcb_statsu": ["UpToDate"]}')
        code, out, err = run(*late, "--policy", str(policy))
        check(code == 2 and "tcb_statsu" in err, "a misspelt policy is an error that names the member: 2", out + err)
        hexed = pathlib.Path(folder) / "quote.hex"
        hexed.write_text(pathlib.Path(good[0]).read_bytes().hex() + "\n")
        code, out, err = run(str(hexed), *good[1:])
        check(code == 0, "a quote may be given in hex", out + err)

    data = json.loads(run(*good, "--json")[1])["quote"]["body"]["report_data"]
    code, out, err = run(*good, "--report-data", data)
    check(code == 0, "report data that agree are accepted", out + err)
    code, out, err = run(*good, "--report-data", data[:-2] + ("00" if data[-2:] != "00" else "01"), "--json")
    check(code == 1 and first_refusal(json.loads(out)) == "tdx.report_data",
          "report data that differ in the last octet are refused", out + err)

    code, out, err = run(*good, "--dry-run", "2049-01-01T00:00:00Z", "--json")
    failed = {r["id"] for r in json.loads(out)["rows"] if r["result"] == "failed"}
    check(code == 1 and {"tdx.crl.root", "tdx.crl.pck", "tdx.tcb_info.validity", "tdx.pck.validity"} <= failed,
          "a dry run names everything that will have expired", out + err)
    print(f"1..{count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
