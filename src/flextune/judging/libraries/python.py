"""Python's libraries beyond the standard one."""

from __future__ import annotations

import re

from flextune.judging.libraries.libraries import Libraries, names

#: What answers and tests of published benchmarks import, and what else is widely used.
_KNOWN = names("""
    numpy pandas scipy sympy matplotlib mpl_toolkits=matplotlib seaborn sklearn=scikit-learn statsmodels
    networkx numba mpmath gmpy2 torch torchvision torchaudio tensorflow keras jax jaxlib flax transformers
    datasets tokenizers xgboost lightgbm catboost
    requests urllib3 httpx aiohttp flask=Flask flask_login=Flask-Login flask_mail=Flask-Mail
    flask_restful=Flask-RESTful flask_wtf=Flask-WTF werkzeug=Werkzeug jinja2=Jinja2 django=Django fastapi
    pydantic starlette uvicorn sqlalchemy=SQLAlchemy psycopg2=psycopg2-binary pymongo redis
    MySQLdb=mysqlclient
    bs4=beautifulsoup4 lxml html5lib mechanize selenium scrapy=Scrapy
    yaml=PyYAML toml tomlkit xmltodict simplejson ujson orjson openpyxl xlrd xlwt xlsxwriter=XlsxWriter
    docx=python-docx pptx=python-pptx PyPDF2 pypdf reportlab
    PIL=Pillow cv2=opencv-python-headless skimage=scikit-image imageio librosa soundfile pydub pytesseract
    dateutil=python-dateutil pytz tzlocal pendulum arrow holidays
    sortedcontainers more_itertools toolz cytoolz attr=attrs attrs blist bidict frozendict
    immutables pyrsistent
    bitarray intervaltree ordered_set=ordered-set llist
    nltk textblob gensim spacy wordcloud wordninja regex unidecode=Unidecode Levenshtein rapidfuzz fuzzywuzzy
    jellyfish langdetect chardet charset_normalizer textdistance inflect pyphen
    cryptography Crypto=pycryptodome nacl=PyNaCl bcrypt rsa jwt=PyJWT passlib
    psutil tqdm rich click typer colorama termcolor tabulate prettytable texttable pytest hypothesis mock
    parameterized freezegun responses faker=Faker
    shapely geopandas geopy folium pyproj rasterio fiona
    ortools pulp=PuLP cvxpy cvxopt z3=z3-solver pyomo deap constraint=python-constraint
    igraph graphviz pydot plotly bokeh altair pygal turtle_canvas
    dask polars pyarrow h5py tables xarray joblib cloudpickle dill msgpack google protobuf
    six future typing_extensions setuptools pkg_resources=setuptools packaging pip wheel
    Bio=biopython rdkit astropy uncertainties pint=Pint pywt=PyWavelets control
    pyparsing ply lark parso sqlparse ast_decompiler astor
    natsort humanize emoji qrcode barcode=python-barcode pyfiglet prettyprinter
    boto3 botocore paramiko pexpect watchdog schedule docker kubernetes
    lightning pytorch_lightning gym gymnasium pygame
""")

PYTHON = Libraries(
    # The last line of a traceback, or the last error of a report of unittest without a failure; a name with a
    # dot is part of a library that is here.
    missing=re.compile(
        r"^ModuleNotFoundError: No module named '(?P<name>\w+)'"
        r"(?:\n\n-{70}\nRan \d+ tests? in [\d.]+s\n\nFAILED \(errors=\d+\))?\Z",
        re.MULTILINE,
    ),
    known=_KNOWN,
    imports=re.compile(r"^[ \t]*(?:import|from)[ \t]+(?P<name>[^\W\d]\w*)", re.MULTILINE),
    install="pip install --target DIR {package}; then judge with --site-packages DIR",
)
