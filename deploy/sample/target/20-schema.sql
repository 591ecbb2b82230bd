-- The sample shop: some thousands of rows of customers, orders, employees and salaries. The same rows on every run and
-- every machine: all values come from row numbers, none from random().

CREATE SCHEMA IF NOT EXISTS crm;
CREATE SCHEMA IF NOT EXISTS hr;
REVOKE ALL ON SCHEMA crm, hr FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

CREATE TABLE IF NOT EXISTS crm.customers (
  id         integer     PRIMARY KEY,
  name       text        NOT NULL,
  email      text        NOT NULL UNIQUE,
  company    text        NOT NULL,
  country    text        NOT NULL,
  region     text        NOT NULL CHECK (region IN ('EU', 'US', 'APAC')),
  since      date        NOT NULL
);
CREATE TABLE IF NOT EXISTS crm.products (
  id         integer       PRIMARY KEY,
  sku        text          NOT NULL UNIQUE,
  name       text          NOT NULL,
  unit_price numeric(10,2) NOT NULL CHECK (unit_price > 0)
);
CREATE TABLE IF NOT EXISTS crm.orders (
  id          integer       PRIMARY KEY,
  customer_id integer       NOT NULL REFERENCES crm.customers (id),
  product_id  integer       NOT NULL REFERENCES crm.products (id),
  quantity    integer       NOT NULL CHECK (quantity > 0),
  amount      numeric(12,2) NOT NULL,
  status      text          NOT NULL CHECK (status IN ('open', 'paid', 'shipped', 'returned')),
  region      text          NOT NULL,
  ordered_at  timestamptz   NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_customer ON crm.orders (customer_id);
CREATE INDEX IF NOT EXISTS orders_ordered_at ON crm.orders (ordered_at);

CREATE TABLE IF NOT EXISTS hr.employees (
  id         integer PRIMARY KEY,
  name       text    NOT NULL,
  email      text    NOT NULL UNIQUE,
  department text    NOT NULL,
  title      text    NOT NULL,
  manager_id integer REFERENCES hr.employees (id),
  hired_on   date    NOT NULL
);
CREATE TABLE IF NOT EXISTS hr.salaries (
  employee_id    integer       NOT NULL REFERENCES hr.employees (id),
  effective_from date          NOT NULL,
  yearly_gross   numeric(10,2) NOT NULL CHECK (yearly_gross > 0),
  currency       text          NOT NULL,
  PRIMARY KEY (employee_id, effective_from)
);

WITH words AS (
  SELECT
    ARRAY['Amara','Bence','Chiara','Dmitri','Elif','Farid','Greta','Hiro','Ines','Jonas','Keiko','Lars','Mateo','Nadia',
          'Oskar','Priya','Quentin','Rosa','Sven','Tomas','Ulla','Viktor','Wanjiru','Ximena','Yusuf','Zofia'] AS first,
    ARRAY['Abe','Bianchi','Costa','Dubois','Eriksen','Fischer','Garcia','Haddad','Ivanova','Jansen','Kowalska','Lindqvist',
          'Moreau','Novak','Okafor','Petrov','Quiroga','Rossi','Schmidt','Tanaka','Ueda','Vargas','Weber','Xu','Yilmaz',
          'Zhang','Almeida','Brandt','Castillo'] AS last,
    ARRAY['Northwind Supply','Helios Energy','Baltic Freight','Cobalt Foods','Meridian Labs','Orchard Textiles',
          'Pinewood Tools','Quarry & Sons','Riverbank Paper','Silverline Optics','Tidewater Marine'] AS company,
    ARRAY['Germany','France','Italy','Poland','United States','Japan','Spain','Canada','Netherlands','Singapore','Sweden'] AS country,
    ARRAY['EU','EU','EU','EU','US','APAC','EU','US','EU','APAC','EU'] AS region
)
INSERT INTO crm.customers (id, name, email, company, country, region, since)
SELECT
  i,
  first[1 + i % 26] || ' ' || last[1 + (i / 26 + i) % 29],
  lower(first[1 + i % 26]) || '.' || lower(last[1 + (i / 26 + i) % 29]) || i || '@customer.example',
  company[1 + i * 7 % 11],
  country[1 + i * 5 % 11],
  region[1 + i * 5 % 11],
  date '2019-01-01' + i * 13 % 2400
FROM words, generate_series(1, 2000) AS i
ON CONFLICT DO NOTHING;

WITH words AS (
  SELECT
    ARRAY['Compact','Heavy-duty','Insulated','Portable','Precision','Recycled','Stackable','Weatherproof'] AS quality,
    ARRAY['crate','gasket','hand pump','label printer','ladder','pallet jack','scale','shelving unit','tape gun','tote',
          'trolley','valve','work lamp','workbench','wrench set'] AS thing
)
INSERT INTO crm.products (id, sku, name, unit_price)
SELECT i, 'SKU-' || lpad(i::text, 4, '0'), quality[1 + i % 8] || ' ' || thing[1 + i % 15], 4.50 + (i * 37 % 400) + (i % 4) * 0.25
FROM words, generate_series(1, 120) AS i
ON CONFLICT DO NOTHING;

INSERT INTO crm.orders (id, customer_id, product_id, quantity, amount, status, region, ordered_at)
SELECT
  i,
  c.id,
  p.id,
  1 + i % 9,
  (1 + i % 9) * p.unit_price,
  (ARRAY['paid','shipped','shipped','open','paid','shipped','returned'])[1 + i % 7],
  c.region,
  timestamptz '2025-01-01 00:00:00+00' + i * interval '97 minutes'
FROM generate_series(1, 6000) AS i
JOIN crm.customers c ON c.id = 1 + i * 17 % 2000
JOIN crm.products p ON p.id = 1 + i * 11 % 120
ON CONFLICT DO NOTHING;

WITH words AS (
  SELECT
    ARRAY['Alva','Boris','Carmen','Dario','Esra','Filip','Gemma','Hanna','Idris','Julia','Kofi','Leila','Marek','Nora',
          'Olga','Pavel','Rania','Stefan','Tessa'] AS first,
    ARRAY['Andersson','Bauer','Cohen','Duarte','Egger','Fontaine','Gruber','Horvat','Ito','Jovanovic','Keller','Lopez',
          'Marino','Nowak','Olsen','Popescu','Ricci','Sato','Toth','Urban','Virtanen','Wolf','Zimmer'] AS last,
    ARRAY['Sales','Operations','Engineering','Finance','People','Legal'] AS department,
    ARRAY['Associate','Specialist','Senior Specialist','Lead'] AS title
)
INSERT INTO hr.employees (id, name, email, department, title, manager_id, hired_on)
SELECT
  i,
  first[1 + i % 19] || ' ' || last[1 + (i / 19 + i) % 23],
  lower(first[1 + i % 19]) || '.' || lower(last[1 + (i / 19 + i) % 23]) || i || '@shop.example',
  department[1 + i % 6],
  CASE WHEN i <= 6 THEN 'Director' ELSE title[1 + i % 4] END,
  CASE WHEN i <= 6 THEN NULL ELSE 1 + i % 6 END,
  date '2015-03-01' + i * 11 % 3600
FROM words, generate_series(1, 400) AS i
ON CONFLICT DO NOTHING;

INSERT INTO hr.salaries (employee_id, effective_from, yearly_gross, currency)
SELECT e.id, make_date(2022 + y, 1, 1), 38000 + e.id * 173 % 52000 + y * 1800 + CASE WHEN e.manager_id IS NULL THEN 60000 ELSE 0 END, 'EUR'
FROM hr.employees e, generate_series(0, 3) AS y
ON CONFLICT DO NOTHING;
