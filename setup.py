"""Packaging of scimgw."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

VERSION = "0.1.0"

TESTING = ["hypothesis>=6.100"]
"""What scimgw.testing needs."""
DEVELOP = [
    "atheris>=3.0; platform_machine == 'x86_64'",
    "build>=1.2",
    "coverage>=7.10",
    "joserfc>=1.0",
    "mypy>=1.13",
    "mypy-zope>=1.0.9",
    "ruff>=0.8",
    "towncrier>=24.8",
    "trustme>=1.1",
]

JUDGES = [
    "databricks-sdk>=0.100",
    "scim2-client[httpx2]>=0.13",
    "scim2-tester>=0.5",
    "slack_sdk>=3.40",
]
"""Published programs that speak SCIM, which the tests run against the gateway."""

setup(
    name="scimgw",
    version=VERSION,
    description="A SCIM gateway: provisions users and groups where SCIM isn't spoken",
    long_description=Path(__file__).with_name("README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    # Twisted finds the command in twisted.plugins, which must stay a package without an __init__.py
    # of ours
    packages=[
        "twisted.plugins",
        *find_namespace_packages(include=["scimgw", "scimgw.*", "connectors", "connectors.*"]),
    ],
    # an editable install through a modern build would hide the plugin behind an import hook; with
    # this line it is a plain path
    package_dir={"": "."},
    package_data={
        "scimgw.scim.schemas": ["*.json"],
        "connectors.loki": ["*.json"],
        "scimgw": ["py.typed"],
    },
    install_requires=[
        "attrs>=23.2",
        "cattrs>=24.1",
        "cryptography>=43",
        "iso3166>=2.1",
        "klein>=24.8",
        "ldaptor>=21.2",
        "orjson>=3.10",
        "pyjwt[crypto]>=2.9",
        "pyopenssl>=24.3",
        "service-identity>=24.1",
        "treq>=24.9",
        "twisted>=24.10",
        "werkzeug>=3.0",
    ],
    extras_require={"testing": TESTING, "develop": [*TESTING, *DEVELOP, *JUDGES]},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: No Input/Output (Daemon)",
        "Framework :: Twisted",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: System :: Systems Administration :: Authentication/Directory",
        "Typing :: Typed",
    ],
)
