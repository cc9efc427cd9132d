"""The daemon's configuration from nested dictionaries."""

import json


def merged(base, over):
    out = dict(base)
    for key, value in over.items():
        out[key] = merged(out[key], value) if isinstance(value, dict) and key in out else value
    return out


def toml(settings):
    """Tables of plain values, and lists of tables. JSON's strings, numbers, booleans and lists are TOML's too."""
    lines = []
    for name, table in settings.items():
        for entry in table if isinstance(table, list) else [table]:
            lines.append(f"[[{name}]]" if isinstance(table, list) else f"[{name}]")
            nested = {k: v for k, v in entry.items() if isinstance(v, list) and v and isinstance(v[0], dict)}
            lines += [f"{k} = {json.dumps(v)}" for k, v in entry.items() if k not in nested]
            for key, tables in nested.items():
                for sub in tables:
                    lines.append(f"[[{name}.{key}]]")
                    lines += [f"{k} = {json.dumps(v)}" for k, v in sub.items()]
    return "\n".join(lines) + "\n"
