"""The typed configuration: dataclasses here, values in `conf/`."""
