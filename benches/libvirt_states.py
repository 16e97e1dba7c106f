#!/usr/bin/env python3
"""Compare libvirt's sync scripts with cpuid-gen's facts and QMP's answers, for each version of each QEMU CPU model.

    libvirt_states.py FACTS.tsv MAP-FOLDER RECORDED.tsv

A state is a version of a model: the set of its named features, including VMX's. The aliases in libvirt's features map turn
libvirt's own names back into QEMU's. The file of a state has the name of its version or, as libvirt before 10 wrote it, of
its alias; for version 1 the name of the model.
"""

import collections
import pathlib
import re
import sys
import xml.etree.ElementTree as xml


def rows(path):
    lines = pathlib.Path(path).read_text().splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def ours(path):
    """Features of each version by name, from the facts, and all names that features have."""
    bits, masks, props, versions, files = {}, {}, {}, collections.defaultdict(list), {}
    for kind, *row in rows(path):
        if kind == "qemu-bit":
            for name in row[2].split("|"):
                bits.setdefault(name.replace("_", "-"), []).append((row[0], 1 << int(row[1])))
        elif kind == "qemu-model":
            masks[row[0]] = collections.Counter()
        elif kind == "qemu-model-word":
            masks[row[0]][row[1]] = int(row[2], 16)
        elif kind == "qemu-model-version":
            versions[row[0]].append(int(row[1]))
            if row[2] != "-":
                files[f"{row[0]}-v{row[1]}"] = row[2]
        elif kind == "qemu-model-prop":
            props.setdefault((row[0], int(row[1])), []).append((row[2], row[3]))
        elif kind == "qemu-alias" and row[1] in bits:
            bits[row[0]] = bits[row[1]]
    states = {}
    for model, words in masks.items():
        files.setdefault(f"{model}-v1", model)
        for version in versions[model] or [1]:
            for name, value in props.get((model, version), []):
                for word, mask in bits.get(name, []):
                    words[word] = words[word] | mask if value == "on" else words[word] & ~mask
            on = {name for name, at in bits.items() if all(words[word] & mask == mask for word, mask in at)}
            states[f"{model}-v{version}"] = on
    return states, set(bits), files


def qmps(path, names):
    """The same from the recording: what TCG takes away is put back from KVM's row, and VMX from its own."""
    states, vmx, result, common = {}, {}, {}, {}

    def changed(old, pairs):
        return {**old, **dict(pair.split("=", 1) for pair in pairs)}

    for kind, name, *row in rows(path):
        if kind == "common":
            common = changed({}, [name, *row])
        elif kind == "tcg":
            states[name] = changed(states.get(row[0], common), row[1:])
        elif kind == "vmx":
            vmx[name] = changed(vmx.get(row[0], {}), row[1:])
        elif kind == "kvm" and "vme=on" in row:
            states[name] = {**states[name], "vme": "on"}
    for name, state in states.items():
        if re.search(r"-v\d+$", name):
            with_vmx = {**vmx.get(name, {}), "vmx": state["vmx"]}
            on = {key for key, value in {**state, **with_vmx}.items() if value == "on"}
            result[name] = (on & names) - {"hypervisor"}
    return result


def libvirts(folder, firsts):
    """The same from the scripts' output; a version without a model of its own is none. `firsts` are QEMU's names
    without second ones."""
    qemu_name = {}
    for feature in xml.parse(folder / "x86_features.xml").getroot().iter("feature"):
        aliases = [alias.get("name") for alias in feature.iter("alias") if alias.get("source") == "qemu"]
        known = [name for name in [feature.get("name"), *aliases] if name in firsts]
        known += [name.replace("_", "-") for name in [feature.get("name")] if name.replace("_", "-") in firsts]
        if known:
            qemu_name[feature.get("name")] = known[0]
    models = {}
    for path in sorted(folder.glob("x86_*.xml")):
        model = xml.parse(path).getroot().find("model")
        if model is not None:
            models[model.get("name")] = model
    states = {}
    for name in models:
        model = models[name]
        while model is not None and model.find("model") is not None:
            model = models.get(model.find("model").get("name"))
        if model is not None:
            of = (feature.get("name") for feature in model.findall("feature"))
            states[name] = {qemu_name.get(feature, feature) for feature in of}
    return states


def main():
    facts, folder, recorded = sys.argv[1:]
    states, names, files = ours(facts)
    said = qmps(recorded, names) if pathlib.Path(recorded).exists() else None
    # What has several names counts once.
    second = {row[1] for row in rows(facts) if row[0] == "qemu-alias"} | {name for name in names if "_" in name}
    theirs = libvirts(pathlib.Path(folder), names - second)
    theirs = {name: theirs.get(name, theirs.get(files.get(name))) for name in states}
    theirs = {name: state for name, state in theirs.items() if state is not None}

    def without(state):
        return state - second

    if said is not None:
        # Expansions take away what lacks what it needs: those are in the definition, and never in a guest.
        wrong = sorted(name for name in said if said[name] - states[name])
        more = collections.Counter(one for name in said for one in without(states[name] - said[name]))
        print(f"ours against QMP: {len(said)} states, {len(wrong)} lack a feature; "
              f"defined, but without effect for lack of what they need: {dict(sorted(more.items()))}")
    absent = sorted(name for name in states if name not in theirs)
    lost, named = collections.Counter(), collections.Counter()
    exact, without_vmx = 0, 0
    for name, state in states.items():
        if name in absent:
            continue
        missing, extra = without(state) - theirs[name], theirs[name] - names
        other = (theirs[name] & names) - state
        exact += not missing and not extra and not other
        without_vmx += not {one for one in missing | extra | other if not one.lower().startswith("vmx")}
        lost.update(missing)
        named.update(extra | other)
    bits = sum(len(without(state)) for state in states.values())
    print(f"libvirt's scripts: {len(states)} states, {len(absent)} absent, {exact} exact, "
          f"{without_vmx} exact apart from VMX; {sum(lost.values())} of {bits} features lost")
    if absent:
        print("absent:", *absent)
    def most(of):
        ordered = sorted(of.items(), key=lambda one: (-one[1], one[0]))
        left = f" and {len(ordered) - 15} more" if len(ordered) > 15 else ""
        return ", ".join(f"{name} {count}" for name, count in ordered[:15]) + left

    print("lost, by number of states:", most(lost))
    print("not the version's, by number of states:", most(named))


if __name__ == "__main__":
    main()
