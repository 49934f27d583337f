// --help, --version, wrong usage.
