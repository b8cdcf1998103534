# workerd's configuration. The files are embedded under their paths, so that imports read as they do everywhere else.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (services = [(name = "suite", worker = (
  modules = [
    (name = "test/runtimes/workerd.js", esModule = embed "workerd.js"),
    (name = "test/runtimes/round.js", esModule = embed "round.js"),
    (name = "build/conformance.js", esModule = embed "../../build/conformance.js"),
    (name = "build/minted.js", esModule = embed "../../build/minted.js"),
  ],
  compatibilityDate = "2026-10-01",
  # Node's modules are there by default; the library must do without them.
  compatibilityFlags = ["no_nodejs_compat"],
))]);
