//! The Go controller that `cargo bench-scale` compares the operator with, built once into the target directory.

use std::path::{Path, PathBuf};

use crate::{Error, cache, go};

/// Everything that it is built from: a change of it is another program.
const SOURCES: [&str; 6] = [
    include_str!("../../../benches/baseline-go/go.mod"),
    include_str!("../../../benches/baseline-go/go.sum"),
    include_str!("../../../benches/baseline-go/main.go"),
    include_str!("../../../benches/baseline-go/controller.go"),
    include_str!("../../../benches/baseline-go/pam.go"),
    include_str!("../../../benches/baseline-go/types.go"),
];

const PROGRAM: &str = "baseline-go";

/// The program built from `benches/baseline-go`.
pub fn go_baseline() -> Result<PathBuf, Error> {
    let cache = cache::directory("baseline", "go", SOURCES);
    let file = cache.join(PROGRAM);
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/baseline-go");
    let build = || go::build(&module, &cache, (PROGRAM, "."), &[]);
    cache::once(&cache, PROGRAM, || file.is_file(), build)?;
    Ok(file)
}
