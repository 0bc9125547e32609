"""Prompts for a talk: what a parent could ask this week."""
