"""Accepted is not landed: what became of the records that the platform took charge of?"""
