#!/usr/bin/env bash
# Records the captures of this directory anew, and puts the numbers of their packets into README.md.
# Needs what .ci/run installs, and root, or `unshare --user --map-root-user` in front.
set -euo pipefail
cd "$(dirname "$0")/../.."
export SWITCHBOARD_RECORD=1 SWITCHBOARD_EVERY_TEST=1
# The scenes are written first, each once it shows what it should; their packets are looked up when all are there.
cargo test --locked --test recorded_captures scenes::
cargo test --locked --test recorded_captures the_guide_names_the_packets
# And now without a word of recording: what is here is what it should be.
unset SWITCHBOARD_RECORD
cargo test --locked --test recorded_captures
