#!/bin/sh
# The namespace of the platform's workflows; runs that have ended can be looked at for 30 days. May be run again.
set -eu
temporal operator cluster health
temporal operator namespace describe --namespace default ||
  temporal operator namespace create --namespace default --retention 30d
