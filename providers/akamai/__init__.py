"""Akamai Reporting: API calls by `apiusagedetails-by-time` (v1) and its successor
`common/apis/usage-details` (v2).
"""
