#!/bin/sh
# The bucket of checkpoints and of the lake, and a key that may do with this bucket what the platform does, and nothing else. May be run again.
set -eu
mc mb --ignore-existing minio/streamforge
# A user that is there gets the key of now.
mc admin user add minio "$S3_ACCESS_KEY_ID" "$S3_SECRET_ACCESS_KEY"
mc admin policy create minio streamforge /etc/streamforge/policy.json
mc admin policy attach minio streamforge --user "$S3_ACCESS_KEY_ID" ||
  mc admin policy entities minio --user "$S3_ACCESS_KEY_ID" | grep -q streamforge
