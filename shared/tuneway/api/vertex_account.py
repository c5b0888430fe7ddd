"""Who tunes on Vertex AI from this computer: project, location, credentials and bucket, by arguments and variables."""

from functools import cached_property
from typing import cast

from google.auth.credentials import AnonymousCredentials, Credentials
from google.oauth2 import credentials as oauth2

from tuneway.adapters.default_credentials import login
from tuneway.api.errors import refused
from tuneway.api.job_options import PROJECTS, Way
from tuneway.api.options import setting
from tuneway.settings import Settings, from_env

LOCATION = "us-central1"
LOCATIONS = ("TUNEWAY_LOCATION", "VERTEXAI_LOCATION", "VERTEX_LOCATION")
BUCKETS = ("TUNEWAY_BUCKET", "GCS_BUCKET_NAME")


class Account:
    """The caller's account; what is asked of Google is asked when it is first needed."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self.settings: Settings = from_env()

    @property
    def timeout(self) -> float:
        """Seconds, for each call."""
        return self._way.timeout or self.settings.submit_timeout

    @property
    def vertex_url(self) -> str | None:
        """What stands in for Vertex AI's hosts: the call's ``api_base``, or the simulation."""
        return self._way.api_base or self.settings.vertex_url

    @property
    def storage_url(self) -> str | None:
        """What stands in for Cloud Storage: the simulation serves both, a proxy of Vertex AI does not."""
        url = self.vertex_url
        return url if url and (url == self.settings.vertex_url or url.startswith("http://")) else None

    @property
    def location(self) -> str:
        """The location that is meant where none is said."""
        return self._way.vertex_location or setting(*LOCATIONS) or LOCATION

    @property
    def chosen_location(self) -> str | None:
        """The location that the call itself names."""
        return self._way.vertex_location

    @property
    def project(self) -> str:
        """The project. Raises BadRequestError, UpstreamError."""
        found = self._way.vertex_project or setting(*PROJECTS) or self._own_project
        if found is None:
            said = "The credentials do not say their project. Give vertex_project, or set GOOGLE_CLOUD_PROJECT."
            raise refused(said, param="vertex_project")
        return found

    @cached_property
    def credentials(self) -> Credentials:
        """What Google's clients prove the caller with. Raises UpstreamError."""
        if self._way.api_key:
            return cast("Credentials", oauth2.Credentials(self._way.api_key))
        if self.vertex_url and self._way.vertex_credentials is None and self.storage_url:
            return cast("Credentials", AnonymousCredentials())
        return cast("Credentials", self._login[0])

    def bucket(self, *files: str | None) -> str:
        """The bucket for copies and for what a job makes; else that of the first of these files in Cloud Storage.

        Raises BadRequestError.
        """
        named = self._way.gcs_bucket_name or setting(*BUCKETS)
        beside = (name.removeprefix("gs://").partition("/")[0] for name in files if name and name.startswith("gs://"))
        found = named or next(beside, None) or (self.settings.bucket if self.settings.vertex_url else None)
        if found is None:
            said = (
                "Rows go to Vertex AI through a bucket. Give gcs_bucket_name, or set TUNEWAY_BUCKET or GCS_BUCKET_NAME."
            )
            raise refused(said, param="gcs_bucket_name")
        return found.removeprefix("gs://").rstrip("/")

    @cached_property
    def _login(self) -> tuple[object, str | None]:
        return login(self._way.vertex_credentials)

    @property
    def _own_project(self) -> str | None:
        if self.settings.vertex_url and self._way.vertex_credentials is None:
            return self.settings.project
        return None if self._way.api_key else self._login[1]
