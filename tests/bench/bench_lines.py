"""Time the tools of the drawing desk: a vertex snapped, an edge traced, a large unit cut, tried and saved."""

import argparse
import json
import os
import statistics
import time

import bench_compose
import django

AIM_MS = 50


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=400)
    parser.add_argument("--around", type=int, default=40, help="parcels a side of the drawn district")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "geoinv.settings"
    os.environ["GEOINV_DEBUG"] = ""  # as it is served; debug keeps every statement
    os.environ["GEOINV_SECRET_KEY"] = "of a benchmark"
    django.setup()
    client, codes, outline = bench_compose.drawn(options.parcels, options.around)
    result = {"parcels": options.parcels, "district_parcels": options.around**2, "aim_ms": AIM_MS}
    for name, address, body in questions(codes, outline):
        result[name] = timed(client, address, body, options.rounds)
    print(json.dumps(result, indent=1))


def questions(codes: list[str], outline: dict):
    """(name, address, body) of what is asked; the unit that is cut reaches over the whole of `outline`."""
    from tests import quarter

    ring = outline["coordinates"][0]
    ring = ring[0] if isinstance(ring[0][0], list) else ring
    west, east = min(point[0] for point in ring), max(point[0] for point in ring)
    south, north = min(point[1] for point in ring), max(point[1] for point in ring)
    middle = (west + east) / 2
    here = {"district": "120104"}
    line = {"type": "LineString", "coordinates": [[middle, south - 0.001], [middle + 1e-4, north + 0.001]]}
    start, near, far = quarter.degrees([(0, 0), (200, 300), (1000, 1000)]).tolist()
    yield "snap_one_vertex", "/map/snap.json", here | {"points": [ring[0]]}
    yield "snap_1000_vertices", "/map/snap.json", here | {"points": (ring * (1000 // len(ring) + 1))[:1000]}
    yield "trace_360_m", "/map/trace.json", here | {"from": start, "to": near}
    yield "trace_1400_m", "/map/trace.json", here | {"from": start, "to": far}
    yield "split_tried", "/map/reshape.json", here | {"op": "split", "geometry": outline, "line": line}


def timed(client, address: str, body: dict, rounds: int) -> dict:
    times = []
    for turn in range(rounds + 2):
        if turn == 2:  # the first fill caches of the process
            busy, at_work = time.process_time(), bench_compose.database_ms()
        began = time.perf_counter()
        answer = client.post(address, json.dumps(body), content_type="application/json")
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.content[:500]
    here = (time.process_time() - busy) * 1000 / rounds
    there = (bench_compose.database_ms() - at_work) / rounds
    return {
        "median_ms": round(statistics.median(times[2:]), 1),
        "best_ms": round(min(times[2:]), 1),
        "of_it_in_python_ms": round(here, 1),
        "of_it_in_database_ms": round(there, 1),
    }


if __name__ == "__main__":
    main()
