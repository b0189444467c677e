"""The kinds as a cluster knows them: one CustomResourceDefinition each, made from `contract`."""
